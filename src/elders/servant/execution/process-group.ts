import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ElderError } from '../../../protocol/errors.ts';
import { readProcessStat } from '../../../telemetry/process-identity.ts';

/** Signals every process of a group and tells whether there was one. The caller knows that the group is its own. */
export function killGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    // macOS answers EPERM where only processes that wait to be reaped are left.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH' || code === 'EPERM') return false;
    throw error;
  }
}

/** Waits until no process of a killed group is left. Throws `timed_out` when one is after `deadlineMs`. */
export async function waitUntilGroupGone(group: number, deadlineMs: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (let pause = 2; groupLives(group); pause = Math.min(50, pause * 2)) {
    if (performance.now() >= deadline) {
      throw new ElderError('timed_out', `process group ${group} still lives after ${deadlineMs} ms`);
    }
    await delay(pause);
  }
}

function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (process.platform !== 'linux') return true;
  // A member that has ended stays a member until its parent asks; in a container nobody may.
  return readdirSync('/proc').some((name) => {
    const stat = /^\d+$/.test(name) ? readProcessStat(Number(name)) : undefined;
    return stat?.group === group && stat.state !== 'Z' && stat.state !== 'X';
  });
}
