import { readdirSync, readlinkSync } from 'node:fs';
import type { ElderStatus } from '../../protocol/process.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';

/**
 * Tells what walls off a living process, from what the kernel says of it and not from how it was meant to be
 * started: namespaces of its own for processes and files, in which the secrets of the tree cannot be seen.
 */
export function readIsolation(pid: number | null, folder: StateFolder): ElderStatus['isolation'] {
  if (pid === null || process.platform !== 'linux') return 'none';
  const walled = ['pid', 'mnt', 'ipc'].every((kind) => hasOwnNamespace(pid, kind));
  return walled && seesNothing(`/proc/${pid}/root${folder.secret}`) ? 'bubblewrap' : 'none';
}

function hasOwnNamespace(pid: number, kind: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`) !== readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return false;
  }
}

function seesNothing(secret: string): boolean {
  try {
    return readdirSync(secret).length === 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
