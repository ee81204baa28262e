import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ElderError } from '../protocol/errors.ts';

const fileName = 'ca.pem';

/**
 * Reads key and certificate of a tree's authority from its secret folder; `undefined` when there are none
 * yet. Throws `denied` when another user can read the file.
 */
export async function loadAuthorityPem(secretDir: string): Promise<string | undefined> {
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
export async function saveAuthorityPem(secretDir: string, pem: string): Promise<string> {
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
  const saved = await loadAuthorityPem(secretDir);
  if (saved === undefined) throw new ElderError('internal', `${fileName} vanished from ${secretDir}`);
  return saved;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
