import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const mountPoint = '/sys/fs/cgroup';

/** Lists where the cgroup of a sandbox named `mark` may be: where the controller of pids stands alone (cgroup v1) below our own, else (v2) beside it. */
export function sandboxGroups(mark: string): string[] {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return [];
  try {
    return readFileSync('/proc/self/cgroup', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .flatMap(([, controllers, path]) => {
        if (path === undefined) return [];
        if (controllers === 'pids') return [join(mountPoint, 'pids', path, mark)];
        return controllers === '' && path !== '/' ? [join(mountPoint, dirname(path), mark)] : [];
      });
  } catch {
    return [];
  }
}

/** Removes the cgroup of a sandbox, once its processes are gone; it is no error when there is none. */
export function removeSandboxGroups(mark: string): void {
  for (const folder of sandboxGroups(mark)) {
    try {
      rmdirSync(folder);
    } catch {
      // It was not made, or a process in it is not quite gone: an empty folder of the kernel's is all that stays.
    }
  }
}

/** Gives what the name of every folder for sockets begins with that belongs to the sandbox of this record; other folders' do not. */
export function socketFolderPrefix(recordPath: string): string {
  return `elders-hosts-${createHash('sha256').update(recordPath).digest('hex').slice(0, 16)}-`;
}

/**
 * Removes the folders for sockets that a servant which was killed has left, by the path of its record. They are not in the
 * state folder, because the path of a socket may have 107 bytes at most.
 */
export function removeSocketFolders(recordPath: string): void {
  const prefix = socketFolderPrefix(recordPath);
  // A servant is not told which folder its manager takes for temporary files.
  for (const folder of new Set([tmpdir(), '/tmp'])) {
    try {
      for (const name of readdirSync(folder)) {
        if (name.startsWith(prefix)) rmSync(join(folder, name), { recursive: true, force: true });
      }
    } catch {
      // Somebody else's, who has taken the name: it is not ours to remove.
    }
  }
}
