import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../protocol/config.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { writeFileAtomic } from '../atomic-file.ts';
import { aclLogLength } from './acl/denials.ts';

/** Name of the Redis user of the manager. */
export const adminUsername = 'admin';

/** Descriptor on which the managed Redis finds the key of its certificate. */
export const keyDescriptor = 3;

/** Names of what the managed Redis has on disk. */
export function redisPaths(folder: StateFolder) {
  return {
    config: join(folder.redis, 'redis.conf'),
    users: join(folder.redis, 'users.acl'),
    certificate: join(folder.redis, 'server.pem'),
    ca: join(folder.redis, 'ca.pem'),
    data: join(folder.redis, 'data'),
    log: folder.logFile('redis'),
    adminPassword: join(folder.secret, 'redis-admin-password'),
  };
}

/** Reads the password of the admin, or makes it (0600). */
export async function adminPassword(folder: StateFolder): Promise<string> {
  const { adminPassword: path } = redisPaths(folder);
  try {
    const text = (await readFile(path, 'utf8')).trim();
    if (text !== '') return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const password = randomBytes(32).toString('base64url');
  await mkdir(folder.secret, { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, `${password}\n`);
  return password;
}

/** Writes everything the managed Redis reads when it starts, except the key; none of it is a secret. */
export async function writeRedisFiles(options: {
  folder: StateFolder;
  host: string;
  port: number;
  appendfsync: Config['appendfsync'];
  certificatePem: string;
  caPem: string;
  password: string;
}): Promise<void> {
  const { folder } = options;
  const paths = redisPaths(folder);
  for (const path of [folder.redis, paths.data, folder.log, dirname(paths.log)]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  }
  await writeFileAtomic(paths.certificate, options.certificatePem);
  await writeFileAtomic(paths.ca, options.caPem);
  await writeFileAtomic(paths.users, await userFile(paths.users, options.password));
  await writeFileAtomic(paths.config, configText(options, paths));
}

function configText(
  options: { host: string; port: number; appendfsync: string },
  paths: ReturnType<typeof redisPaths>,
): string {
  const quoted = (path: string) => `"${path.replace(/["\\]/g, '\\$&')}"`;
  return `${[
    'port 0',
    `tls-port ${options.port}`,
    `bind ${options.host}`,
    'protected-mode no',
    'tls-auth-clients yes',
    'tls-protocols TLSv1.3',
    'tls-session-caching no',
    `tls-cert-file ${quoted(paths.certificate)}`,
    `tls-key-file /dev/fd/${keyDescriptor}`,
    `tls-ca-cert-file ${quoted(paths.ca)}`,
    `aclfile ${quoted(paths.users)}`,
    `dir ${quoted(paths.data)}`,
    'appendonly yes',
    `appendfsync ${options.appendfsync}`,
    'save ""',
    'maxmemory-policy noeviction',
    `logfile ${quoted(paths.log)}`,
    `acllog-max-len ${aclLogLength}`,
    'daemonize no',
  ].join('\n')}\n`;
}

/** Keeps the users that stand in the file, so that processes that outlive Redis find theirs again. */
async function userFile(path: string, password: string): Promise<string> {
  const hash = createHash('sha256').update(password).digest('hex');
  const present = await readFile(path, 'utf8').catch(() => '');
  const others = present
    .split('\n')
    .filter((line) => line.startsWith('user ') && !/^user (default|admin) /.test(line));
  // Nobody can log in as `default`, but it keeps all rights: Redis loads its append-only file as that user, and
  // drops every transaction in it that the user may not carry out.
  const own = ['user default off resetpass ~* &* +@all', `user ${adminUsername} on #${hash} ~* &* +@all`];
  return `${[...own, ...others].join('\n')}\n`;
}

/** Opens a file that holds this text and that no path leads to; whoever gets the descriptor reads it. */
export function openUnlinked(folder: string, text: string): number {
  const path = join(folder, `.${randomBytes(8).toString('hex')}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  // Written at a place, which leaves the offset at the start for the reader.
  writeSync(descriptor, Buffer.from(text), 0, Buffer.byteLength(text), 0);
  return descriptor;
}

/** Moves a log that has grown beyond `maxBytes` to `<path>.1`; Redis opens it anew for every line. */
export function moveFullLog(path: string, maxBytes: number): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxBytes) renameSync(path, `${path}.1`);
}

/** Reads the last 4 KB of a file; nothing when it cannot be read. */
export function fileTail(path: string): string {
  const tail = Buffer.alloc(4_096);
  try {
    const descriptor = openSync(path, 'r');
    try {
      const from = Math.max(0, fstatSync(descriptor).size - tail.length);
      return tail.toString('utf8', 0, readSync(descriptor, tail, 0, tail.length, from));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return '';
  }
}
