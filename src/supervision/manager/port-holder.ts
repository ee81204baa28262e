import { readdir, readFile, readlink } from 'node:fs/promises';

const listening = '0A';

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

async function listeningInodes(port: number): Promise<Set<string>> {
  const tables = await Promise.all([readText('/proc/net/tcp'), readText('/proc/net/tcp6')]);
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const line of tables.join('\n').split('\n')) {
    const fields = line.trim().split(/\s+/);
    const [, local, , state] = fields;
    if (state === listening && local?.endsWith(`:${hex}`) === true && fields[9]) inodes.add(fields[9]);
  }
  return inodes;
}

async function holds(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    if (sockets.has(target)) return true;
  }
  return false;
}

/**
 * Says who listens on a TCP port of this host, as `nginx (pid 123)`; `null` when nobody does, or when the
 * kernel does not show it (another user's process, or no `/proc`).
 */
export async function describePortHolder(port: number): Promise<string | null> {
  const inodes = await listeningInodes(port);
  if (inodes.size === 0) return null;
  const sockets = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  const entries = await readdir('/proc').catch(() => []);
  for (const pid of entries) {
    if (!/^\d+$/.test(pid) || !(await holds(pid, sockets))) continue;
    const name = (await readText(`/proc/${pid}/comm`)).trim();
    return `${name || 'a process'} (pid ${pid})`;
  }
  return null;
}
