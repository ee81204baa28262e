import { readProcessIdentity, waitUntilGone } from '../../src/telemetry/process-identity.ts';

/** Ends a process with SIGKILL if it is still there; does not wait for it. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends a process with SIGKILL and resolves when it is gone, which takes the kernel a moment. */
export async function endProcess(pid: number): Promise<void> {
  const identity = readProcessIdentity(pid);
  killIfThere(pid);
  if (identity !== undefined) await waitUntilGone(identity, 60_000);
}
