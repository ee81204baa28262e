import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const mountPoint = '/sys/fs/cgroup';

/**
 * Bounds how many processes there are below one of root's, which `RLIMIT_NPROC` does not bind, by a cgroup named
 * `mark`. Tells whether it could; the host may not let it.
 */
export function limitProcesses(options: { mark: string; pid: number; processes: number }): boolean {
  const { mark, pid, processes } = options;
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false;
  return quotaFolders(mark).some((folder) => {
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, 'pids.max'), String(processes));
      writeFileSync(join(folder, 'cgroup.procs'), String(pid));
      return true;
    } catch {
      remove(folder);
      return false;
    }
  });
}

/** Removes what `limitProcesses` made, once the processes are gone; it is no error when there is nothing. */
export function removeProcessLimit(mark: string): void {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return;
  for (const folder of quotaFolders(mark)) remove(folder);
}

function remove(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It was not made, or a process in it is not quite gone: an empty folder of the kernel's is all that stays.
  }
}

/** Where the controller of pids stands alone (cgroup v1) below our own cgroup, else (v2) beside it. */
function quotaFolders(mark: string): string[] {
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
