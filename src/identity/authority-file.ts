import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ElderError } from '../protocol/errors.ts';

/**
 * What an authority keeps in the secret folder: key and certificate of the root that signs, those of the root
 * that is to take over while that is made known, and the certificate of the one before while it is still trusted.
 */
export const authorityFiles = { current: 'ca.pem', next: 'ca-next.pem', old: 'ca-old.pem' } as const;
export type AuthorityFile = (typeof authorityFiles)[keyof typeof authorityFiles];

/**
 * Reads one file of a tree's authority from its secret folder; `undefined` when there is none. Throws `denied`
 * when another user can read it.
 */
export async function loadAuthorityPem(
  secretDir: string,
  fileName: AuthorityFile,
): Promise<string | undefined> {
  const path = join(secretDir, fileName);
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { mode } = await file.stat();
    if (mode & 0o077) {
      const reason = `${path} is open to other users, so its key must be taken as known; remove it`;
      throw new ElderError('denied', reason);
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/**
 * Saves key and certificate of a new authority, as a whole or not at all, and gives what stands there
 * afterwards: what another process saved first is kept and wins.
 */
export async function saveAuthorityPem(
  secretDir: string,
  fileName: AuthorityFile,
  pem: string,
): Promise<string> {
  await mkdir(secretDir, { recursive: true, mode: 0o700 });
  await chmod(secretDir, 0o700);
  const temporary = join(secretDir, `.${fileName}.${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(pem);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link, unlike a rename, never replaces a key with which certificates may have been signed already.
    await link(temporary, join(secretDir, fileName)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(secretDir);
  const saved = await loadAuthorityPem(secretDir, fileName);
  if (saved === undefined) throw new ElderError('internal', `${fileName} vanished from ${secretDir}`);
  return saved;
}

/** Puts one file of the authority in the place of another, durably. */
export async function moveAuthorityPem(
  secretDir: string,
  from: AuthorityFile,
  to: AuthorityFile,
): Promise<void> {
  await rename(join(secretDir, from), join(secretDir, to));
  await syncFolder(secretDir);
}

/** Removes one file of the authority, durably; nothing happens when there is none. */
export async function removeAuthorityPem(secretDir: string, fileName: AuthorityFile): Promise<void> {
  await rm(join(secretDir, fileName), { force: true });
  await syncFolder(secretDir);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
