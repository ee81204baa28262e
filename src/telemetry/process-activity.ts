import { readFileSync } from 'node:fs';
import { readProcessStat } from './process-identity.ts';

const states: Readonly<Record<string, string>> = {
  R: 'it runs or wants to',
  S: 'it sleeps',
  D: 'it waits for a disk or another device',
  T: 'it is stopped',
  t: 'it is held by a debugger',
  Z: 'it has ended',
};

/**
 * Says in words what the first thread of a process does now, with the place in the kernel where it waits if that is told;
 * `undefined` if there is no such process, or the system does not tell.
 */
export function describeActivity(pid: number): string | undefined {
  const state = readProcessStat(pid)?.state;
  const what = state === undefined ? undefined : states[state];
  if (what === undefined) return undefined;
  const place = waitingPlace(pid);
  return place === undefined ? what : `${what} (${place})`;
}

function waitingPlace(pid: number): string | undefined {
  try {
    const place = readFileSync(`/proc/${pid}/wchan`, 'latin1').trim();
    return place === '' || place === '0' ? undefined : place;
  } catch {
    return undefined;
  }
}
