import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ElderError } from '../protocol/errors.ts';
import type { ProcessIdentity } from '../protocol/process.ts';
import { readProcessIdentity, readProcessStat, signalProcess } from './process-identity.ts';

const linux = process.platform === 'linux';

/** A process that shows no arguments that often has none. */
const maxRounds = 50;

/** Variable that holds the mark for those whose arguments do not. */
export const markVariable = 'ELDERS_MARK';

/** Makes a word that stands on no other command line of this host. */
export function newProcessMark(): string {
  return `elders-${randomBytes(16).toString('hex')}`;
}

/**
 * Finds the living processes that have `mark` as one whole argument. A copy that a process makes of itself has
 * its arguments too, so this also finds one whose pid nobody could note. With `variable` also those that have it in
 * `markVariable`, which whatever they start inherits (Linux only).
 */
export function findMarkedProcesses(
  mark: string,
  { variable = false }: { variable?: boolean } = {},
): ProcessIdentity[] {
  const pids = linux ? pidsInProc(mark, variable) : pidsByPs(mark);
  return pids.filter((pid) => pid !== process.pid).flatMap((pid) => readProcessIdentity(pid) ?? []);
}

/**
 * Kills all processes that have `mark` as an argument, and with `groups` those that have it in `markVariable` and the
 * process groups that all these belong to; resolves once none is left, with whether there was one. Throws `timed_out` when one is after `deadlineMs`.
 */
export async function endMarkedProcesses(
  mark: string,
  { groups, deadlineMs }: { groups: boolean; deadlineMs: number },
): Promise<boolean> {
  const deadline = performance.now() + deadlineMs;
  let found = findMarkedProcesses(mark, { variable: groups });
  const any = found.length > 0;
  // In rounds, because one that is about to die may just have copied itself.
  for (let pause = 2; found.length > 0; pause = Math.min(50, pause * 2)) {
    if (performance.now() >= deadline) {
      const pids = found.map(({ pid }) => pid).join(', ');
      throw new ElderError('timed_out', `still alive after ${deadlineMs} ms: ${pids}`);
    }
    for (const identity of found) end(identity, mark, groups);
    await delay(pause);
    found = findMarkedProcesses(mark, { variable: groups });
  }
  return any;
}

function end(identity: ProcessIdentity, mark: string, groups: boolean): void {
  // It may have become another program meanwhile, or its pid another process.
  if (linux && !isMarked(identity.pid, mark, groups)) return;
  const group = groups && linux ? readProcessStat(identity.pid)?.group : undefined;
  if (group === undefined || group === readProcessStat(process.pid)?.group) {
    signalProcess(identity, 'SIGKILL');
    return;
  }
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Looks until a list of all processes holds no new one: a process may copy itself after it was listed, and be
 * gone before it is looked at.
 */
function pidsInProc(mark: string, variable: boolean): number[] {
  const seen = new Set<number>();
  const found: number[] = [];
  for (let round = 0; ; round += 1) {
    const fresh = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => !seen.has(pid));
    if (fresh.length === 0) return found;
    for (const pid of fresh) {
      const words = argumentsOf(pid);
      // None yet: it is about to become another program. Threads of the kernel and dead processes never have any.
      if (words.length > 0 || !isUserProcess(pid) || round >= maxRounds) seen.add(pid);
      if (words.includes(mark) || (variable && hasVariable(pid, mark))) found.push(pid);
    }
  }
}

function isMarked(pid: number, mark: string, variable: boolean): boolean {
  return argumentsOf(pid).includes(mark) || (variable && hasVariable(pid, mark));
}

function hasVariable(pid: number, mark: string): boolean {
  return wordsIn(pid, 'environ').includes(`${markVariable}=${mark}`);
}

function argumentsOf(pid: number): string[] {
  return wordsIn(pid, 'cmdline');
}

function wordsIn(pid: number, file: 'cmdline' | 'environ'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** Whether a process lives and has memory of its own; only such a one has arguments. */
function isUserProcess(pid: number): boolean {
  try {
    return /^VmSize:/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

function pidsByPs(mark: string): number[] {
  const options = { env: { LC_ALL: 'C' }, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  return execFileSync('/bin/ps', ['-A', '-o', 'pid=,args='], options)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ...words]) => words.includes(mark))
    .map(([pid]) => Number(pid));
}
