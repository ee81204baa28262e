import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { ProcessIdentity } from '../../protocol/process.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { readProcessIdentity, signalProcess, waitUntilGone } from '../../telemetry/process-identity.ts';
import { type ElderCommand, elderCommand } from '../isolation/elder-command.ts';
import type { ElderProgram } from '../isolation/elder-program.ts';
import { openProcessReport, type ProcessReport } from '../isolation/process-report.ts';
import type { SparePlaces } from '../isolation/spare-places.ts';
import { readJsonLines } from './json-lines.ts';
import { followLoading, type Loading } from './loading.ts';
import { openRawOutput } from './raw-output.ts';
import { describeExit, type ProcessExit } from './running-process.ts';

interface SpawnOptions {
  readonly name: string;
  readonly folder: StateFolder;
  readonly program: ElderProgram;
  readonly config: Config;
  /** Given where the process will be told later which of some elders it is. */
  readonly spare?: SparePlaces;
}

/** A process that runs the program of an elder and waits on its channel to be told who it is to be. */
export interface SpawnedElder {
  readonly name: string;
  readonly identity: ProcessIdentity;
  /** Whether it has a view of its own of the files. */
  readonly walled: boolean;
  readonly channel: Duplex;
  /** What it says beside its key, its answer to the challenge and that it has loaded; to be read after these. */
  readonly lines: AsyncGenerator<unknown, void>;
  /** See `Loading`. */
  readonly loading: Loading;
  /** Resolves once, when the process is gone; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Does nothing once it is gone, so no stranger is hit. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** What a child may see of the manager's environment: nothing in it is secret, nothing changes how Node runs. */
const environment = ['PATH', 'HOME', 'LANG', 'TZ'];

/** The most characters of one line from a child. */
const maxLine = 65_536;

/** The kernel needs this long at most to end a process by SIGKILL, unless its disk hangs, ms. */
const killMs = 10_000;

/** Starts the program of an elder, which does nothing until it has its start order. Rejects with `start_failed`. */
export async function spawnElder(options: SpawnOptions): Promise<SpawnedElder> {
  const { name, folder, program, config, spare } = options;
  const command = await elderCommand({ name, folder, program, config, ...(spare && { spare }) });
  const report = command.reports ? openProcessReport(reportPath(options)) : undefined;
  try {
    return await introduceChild(options, spawnChild(options, command, report), report);
  } finally {
    report?.close();
  }
}

async function introduceChild(
  options: SpawnOptions,
  child: ChildProcess,
  report: ProcessReport | undefined,
): Promise<SpawnedElder> {
  const ended = exitOf(child);
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error').catch((cause: unknown) => [cause])) as [Error];
    throw new ElderError('start_failed', `${options.name}: ${error.message}`, { cause: error });
  }
  const channel = child.stdio[3] as Duplex;
  // The child may end at any time; that is told by its exit, not by a broken pipe.
  channel.on('error', () => undefined);
  const pid = report === undefined ? child.pid : await Promise.race([report.pid, ended.then(() => 0)]);
  const identity = readProcessIdentity(pid);
  if (identity === undefined) throw startFailure(options.name, options.folder, await ended);
  const exited = report === undefined ? ended : ended.then((exit) => afterBoundary(identity, exit));
  const lines = readJsonLines(channel, maxLine);
  const loading = followLoading(lines);
  const kill = (signal: 'SIGTERM' | 'SIGKILL') => {
    // Process 1 of a namespace does not hear SIGTERM before it listens for it, and has nothing to bring to an end.
    if (report === undefined) child.kill(signal);
    else signalProcess(identity, loading.isOver() ? signal : 'SIGKILL');
  };
  return {
    name: options.name,
    identity,
    walled: report !== undefined,
    channel,
    lines,
    loading,
    exited,
    kill,
  };
}

/** Says that a process ended before it was ready. */
export function startFailure(name: string, folder: StateFolder, exit: ProcessExit): ElderError {
  return new ElderError('start_failed', `${name} ${describeExit(exit)} before it was ready`, {
    detail: { exit, output: folder.rawOutput(name) },
  });
}

function reportPath({ name, folder }: SpawnOptions): string {
  return join(folder.run, `${name}.${randomUUID()}.report`);
}

/** What ends bubblewrap itself leaves the elder alive: nobody would look after it then. */
async function afterBoundary(identity: ProcessIdentity, exit: ProcessExit): Promise<ProcessExit> {
  if (signalProcess(identity, 'SIGKILL')) await waitUntilGone(identity, killMs).catch(() => undefined);
  // As a shell tells it: 128 + n for signal n.
  const number = exit.code === null ? 0 : exit.code - 128;
  const signal = Object.entries(constants.signals).find((entry) => entry[1] === number)?.[0];
  return signal === undefined ? exit : { code: null, signal: signal as NodeJS.Signals };
}

function spawnChild(
  { name, folder, config }: SpawnOptions,
  command: ElderCommand,
  report: ProcessReport | undefined,
): ChildProcess {
  const output = openRawOutput(folder.rawOutput(name), config.log.maxBytes);
  try {
    return spawn(command.file, command.args, {
      cwd: folder.project,
      // A session of its own: Ctrl-C at the terminal reaches the manager only, which then ends it in order.
      detached: true,
      // Files, not pipes: with the manager's death a pipe would break and take the child along.
      stdio: ['ignore', output, output, 'pipe', ...(report === undefined ? [] : [report.fd])],
      env: Object.fromEntries(
        environment.flatMap((key) => (process.env[key] ? [[key, process.env[key]]] : [])),
      ),
    });
  } finally {
    closeSync(output);
  }
}

function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}
