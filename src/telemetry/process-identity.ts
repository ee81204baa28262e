import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ElderError } from '../protocol/errors.ts';
import type { ProcessIdentity } from '../protocol/process.ts';

const linux = process.platform === 'linux';
let bootIdOfHost: string | undefined;

/** Gives the id of the present boot of this host. Throws `internal` where the system does not tell it. */
export function bootId(): string {
  bootIdOfHost ??= linux
    ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    : output('sysctl', ['-n', 'kern.bootsessionuuid']);
  if (!bootIdOfHost) throw new ElderError('internal', 'the system does not tell which boot this is');
  return bootIdOfHost;
}

/** What `/proc/PID/stat` tells of one process. */
export interface ProcessStat {
  /** One letter; `Z` and `X` are processes that have ended. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** Those not gone yet, the first one included. */
  readonly threads: number;
  /** Clock ticks since boot. */
  readonly startTime: string;
}

/** Reads one line of `/proc/PID/stat`; `undefined` if it is not one. */
export function parseProcessStat(line: string): ProcessStat | undefined {
  // The command name stands in parentheses and may itself hold spaces and parentheses: the last one ends it.
  const fields = line
    .slice(line.lastIndexOf(')') + 2)
    .trim()
    .split(' ');
  const [state, parent, group] = fields;
  const threads = fields[17];
  const startTime = fields[19];
  if (!line.includes(')') || !state || !parent || !group || !threads || !startTime) return undefined;
  return { state, parent: Number(parent), group: Number(group), threads: Number(threads), startTime };
}

/** Reads the state of a process of this Linux host; `undefined` if there is none with this pid. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Names the process that has this pid now; `undefined` if none has, or if it has ended and only waits to be reaped. */
export function readProcessIdentity(pid: number): ProcessIdentity | undefined {
  if (!Number.isInteger(pid) || pid < 1) return undefined;
  if (linux) {
    const stat = readProcessStat(pid);
    if (stat === undefined || hasEnded(stat)) return undefined;
    return { pid, startTime: stat.startTime, bootId: bootId() };
  }
  // One call for both, so that they speak of the same process; LC_ALL makes the date comparable.
  const [state, ...startTime] = output('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).split(/\s+/);
  if (!state || state.startsWith('Z') || startTime.length === 0) return undefined;
  return { pid, startTime: startTime.join(' '), bootId: bootId() };
}

/** A process whose first thread has ended still holds its ports and files until the last one has. */
function hasEnded({ state, threads }: ProcessStat): boolean {
  return (state === 'Z' || state === 'X') && threads <= 1;
}

/** Tells whether exactly this process still lives; another process that got its pid does not count. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  return readProcessIdentity(identity.pid)?.startTime === identity.startTime;
}

/**
 * Signals exactly this process and tells whether it was there to be signalled. Check and signal stand in one
 * turn of the event loop: Node has no pidfd, so what is left is a pid used again within microseconds.
 * Throws `denied` if the process belongs to another user.
 */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isSameProcess(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw new ElderError('denied', `process ${identity.pid} may not be signalled`, { cause: error });
  }
}

/**
 * Waits until a process that is not our child is gone. It asks every 2 ms, later every 50 ms, because nothing
 * announces the end of a foreign process. Throws `timed_out` when it still lives after `deadlineMs`.
 */
export async function waitUntilGone(identity: ProcessIdentity, deadlineMs: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (let pause = 2; isSameProcess(identity); pause = Math.min(50, pause * 2)) {
    if (performance.now() >= deadline) {
      throw new ElderError('timed_out', `process ${identity.pid} still lives after ${deadlineMs} ms`);
    }
    await delay(pause);
  }
}

function output(file: string, args: string[]): string {
  try {
    const env = { PATH: '/bin:/usr/bin:/usr/sbin', LC_ALL: 'C', TZ: 'UTC' };
    return execFileSync(file, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}
