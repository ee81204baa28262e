import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeSandboxGroups, sandboxGroups } from '../../../telemetry/sandbox-leftovers.ts';

/**
 * Bounds how many processes there are below one of root's, which `RLIMIT_NPROC` does not bind, by a cgroup named
 * `mark`. Tells whether it could; the host may not let it.
 */
export function limitProcesses(options: { mark: string; pid: number; processes: number }): boolean {
  const { mark, pid, processes } = options;
  return sandboxGroups(mark).some((folder) => {
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, 'pids.max'), String(processes));
      writeFileSync(join(folder, 'cgroup.procs'), String(pid));
      return true;
    } catch {
      removeSandboxGroups(mark);
      return false;
    }
  });
}
