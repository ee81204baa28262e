import { accessSync, closeSync, constants as fileModes, openSync, rmSync } from 'node:fs';
import { constants, setPriority, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptUsage } from '../../../protocol/directive.ts';
import { asElderError, ElderError } from '../../../protocol/errors.ts';
import type { AttemptOutcome } from '../../../protocol/states.ts';
import { newProcessMark } from '../../../telemetry/marked-processes.ts';
import { type HostAccess, openHostAccess } from '../network/host-access.ts';
import { taskFileNames } from '../results/task-files.ts';
import { bubblewrapArguments, realFolder, type SandboxPolicy, sandboxHome } from './bubblewrap-arguments.ts';
import { commandEnvironment } from './environment.ts';
import { type GuardedProcess, type Launch, launch } from './guarded-process.ts';
import type { CommandLimits } from './limits.ts';
import { OutputFile, type OutputSummary } from './output-file.ts';
import { type OutputPipe, openOutputPipe } from './output-pipe.ts';
import { limitProcesses, removeProcessLimit } from './process-quota.ts';
import { detectSandbox } from './sandbox.ts';
import { removeSandboxRecord, writeSandboxRecord } from './sandbox-record.ts';
import { type SandboxWatch, watchSandbox } from './sandbox-watch.ts';

/** How long a sandbox may take to be set up, in ms. */
const setUpMs = 30_000;

/** How long output is read after the end of a command whose escaped processes may hold the pipe open, in ms. */
const drainMs = 1_000;

/** How far commands stand back for others, from 0 to 19. */
const commandNiceness = 10;

/** The longest command line that the kernel takes as one argument, in bytes. */
const maxCommandLine = 130_000;

/** One command and everything that bounds it. */
export interface CommandOptions {
  readonly shellCommand: string;
  /** Absolute path of an existing folder; its links are resolved. */
  readonly workspace: string;
  /** Folder within it that the command begins in. */
  readonly startIn?: string;
  readonly directiveId: string;
  readonly taskId: string;
  readonly attempt: number;
  /** The task's own variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Time between SIGTERM and SIGKILL. */
  readonly killGraceMs: number;
  readonly sandbox:
    | { readonly kind: 'none' }
    | ({ readonly kind: 'bubblewrap' } & Pick<SandboxPolicy, 'masked' | 'writable' | 'network'> &
        Partial<Pick<SandboxPolicy, 'readOnly' | 'home' | 'workspaceReadOnly' | 'workspaceUnmasked'>> & {
          /** Hosts that it reaches by a proxy, where it has no network; see `networkHost`. */
          readonly hosts?: readonly string[];
          /** Is told which other hosts it asked for. */
          readonly onRefusedHost?: (host: string) => void;
        });
  /** File for the output; see `outputPath`. */
  readonly outputPath: string;
  /** Folder of this attempt alone, in which the command may leave files for its servant. */
  readonly exchange: string;
  readonly limits: CommandLimits;
  /** File that names the process tree as long as it may run. */
  readonly recordPath: string;
  /** Cancels the command. */
  readonly signal?: AbortSignal;
}

/** What one attempt at a command came to. Times are ms since the epoch. */
export interface CommandResult {
  readonly outcome: Exclude<AttemptOutcome, 'lost'>;
  /** As a shell tells it: 128 + n where signal n ended the command; `null` where it never ran or the sandbox was killed. */
  readonly exitCode: number | null;
  /** The signal that the exit code stands for. */
  readonly signal: string | null;
  /** `null` if the command never began. */
  readonly startedAt: number | null;
  readonly finishedAt: number;
  readonly output: Pick<OutputSummary, 'path' | 'bytes' | 'sha256' | 'tail'> | null;
  /** Why it did not succeed, and what is missing of its output; `null` if there is nothing to say. */
  readonly reason: string | null;
  /** Where something could tell it. */
  readonly usage?: AttemptUsage;
}

/** A command that runs, or was refused. */
export interface RunningCommand {
  /** Ms since the epoch; `null` if the command was refused. */
  readonly startedAt: number | null;
  /** Resolves when the whole process tree is gone and its record with it. */
  readonly finished: Promise<CommandResult>;
  /** Ends the command: SIGTERM to all of it, SIGKILL after the grace. Without effect once it is ending. */
  cancel(reason: string): void;
}

/**
 * Starts a command, whose record is on disk before; it resolves once the command runs. What stands in the way before
 * that makes the outcome `refused` (or `cancelled`), with the reason. With `sandbox: none` a process that
 * leaves its group survives the end of the command.
 */
export async function startCommand(options: CommandOptions): Promise<RunningCommand> {
  const path = options.outputPath;
  let file: OutputFile | undefined;
  let pipe: OutputPipe | undefined;
  let consumed: Promise<void> | undefined;
  let proxy: HostAccess | undefined;
  try {
    proxy = await openHosts(options);
    const sandboxed = await plan(options, proxy);
    file = await OutputFile.open(path, options.limits.output);
    pipe = await openOutputPipe();
    consumed = file.consume(pipe.reader);
    const guarded = await begin(sandboxed, pipe, options);
    return follow(guarded, { file, pipe, consumed, options, proxy, startedAt: Date.now() });
  } catch (error) {
    pipe?.reader.destroy();
    await consumed;
    await file?.finish();
    await proxy?.close();
    return refused(options, asElderError(error));
  }
}

async function openHosts({ sandbox }: CommandOptions): Promise<HostAccess | undefined> {
  if (sandbox.kind === 'none' || sandbox.network || !sandbox.hosts?.length) return undefined;
  const { hosts, onRefusedHost: onRefused = () => undefined } = sandbox;
  return openHostAccess({ hosts, onRefused });
}

/** Where a command in a sandbox finds its exchange folder. */
const exchangeInSandbox = '/run/elders-task';

function exchangeVariables({ sandbox, exchange }: CommandOptions): Record<string, string> {
  const folder = sandbox.kind === 'none' ? exchange : exchangeInSandbox;
  return {
    ELDERS_OUTPUT: join(folder, taskFileNames.output),
    ELDERS_TASKS: join(folder, taskFileNames.tasks),
    ELDERS_PROGRESS: join(folder, taskFileNames.progress),
  };
}

type Plan = Omit<Launch, 'output' | 'report'>;

async function plan(options: CommandOptions, proxy: HostAccess | undefined): Promise<Plan> {
  const { sandbox, taskId, directiveId, attempt } = options;
  if (options.shellCommand.includes('\0') || Buffer.byteLength(options.shellCommand) > maxCommandLine) {
    throw new ElderError('malformed', `the command holds NUL or is longer than ${maxCommandLine} bytes`);
  }
  const workspace = realFolder(options.workspace, 'workspace');
  const ownHome = (sandbox.kind === 'bubblewrap' ? sandbox.home : undefined) ?? userInfo().homedir;
  const home = sandbox.kind === 'none' ? ownHome : sandboxHome({ home: ownHome, workspace });
  const task = { ...proxy?.environment, ...options.environment, ...exchangeVariables(options) };
  const environment = commandEnvironment({ parent: process.env, home, task, taskId, directiveId, attempt });
  const { limits, shellCommand: commandLine } = options;
  const startIn = realFolder(options.startIn ?? workspace, 'folder to begin in');
  const common = { mark: newProcessMark(), commandLine, limits, workspace: startIn, environment };
  if (sandbox.kind === 'none') return { ...common, sandbox: { kind: 'none' } };
  const available = await detectSandbox();
  if (available.kind === 'none') throw new ElderError('sandbox_unavailable', available.reason);
  if (!sandbox.workspaceReadOnly) requireWritable(workspace);
  const temporaryBytes = available.boundsFolders ? limits.temporary : null;
  const shown = [...(proxy?.arguments ?? []), '--bind', options.exchange, exchangeInSandbox];
  const policy = { readOnly: [], ...sandbox, home: ownHome, workspace, startIn, temporaryBytes, shown };
  return {
    ...common,
    ...(proxy && { before: proxy.before }),
    sandbox: {
      kind: 'bubblewrap',
      path: available.path,
      arguments: bubblewrapArguments(policy, environment),
    },
  };
}

/** Throws `denied` for a workspace that the boundary of the servant itself shows read-only. */
function requireWritable(workspace: string): void {
  try {
    accessSync(workspace, fileModes.W_OK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EROFS') return;
    const hint =
      'a folder made in your home after the servant was started is writable once `elders restart` has replaced it';
    throw new ElderError('denied', `${workspace} is read-only for this servant; ${hint}`, { cause });
  }
}

/** Puts the record on disk, sets the sandbox up, and lets the command begin. */
async function begin(plan: Plan, pipe: OutputPipe, options: CommandOptions): Promise<GuardedProcess> {
  const { recordPath, directiveId, taskId, attempt } = options;
  const limits = [AbortSignal.timeout(setUpMs)];
  if (options.signal) limits.push(options.signal);
  const report = openUnnamedFile(`${recordPath}.report`);
  try {
    const { mark, sandbox } = plan;
    const record = { mark, kind: sandbox.kind, directiveId, taskId, attempt, startedAt: Date.now() };
    writeSandboxRecord(recordPath, record);
    const guarded = await launch({ ...plan, output: pipe.writer, report }, AbortSignal.any(limits));
    // The elders themselves must not starve beside it.
    setPriority(guarded.identity.pid, commandNiceness);
    const { processes } = plan.limits;
    if (sandbox.kind === 'bubblewrap') limitProcesses({ mark, pid: guarded.identity.pid, processes });
    guarded.begin();
    return guarded;
  } catch (error) {
    await removeSandboxRecord(recordPath);
    throw error;
  } finally {
    pipe.closeWriter();
    closeSync(report);
  }
}

/** Opens a file that no other process can come by. */
function openUnnamedFile(path: string): number {
  const file = openSync(path, 'w+', 0o600);
  rmSync(path);
  return file;
}

interface Following {
  readonly file: OutputFile;
  readonly pipe: OutputPipe;
  readonly consumed: Promise<void>;
  readonly options: CommandOptions;
  readonly proxy: HostAccess | undefined;
  readonly startedAt: number;
}

function follow(guarded: GuardedProcess, following: Following): RunningCommand {
  const { options, startedAt } = following;
  let stop: { outcome: 'timed_out' | 'cancelled' | 'failed'; reason: string } | undefined;
  let grace: NodeJS.Timeout | undefined;
  let over = false;
  const end = (outcome: 'timed_out' | 'cancelled', reason: string) => {
    if (stop !== undefined || over) return;
    stop = { outcome, reason };
    guarded.terminate();
    grace = setTimeout(() => guarded.kill(), options.killGraceMs);
  };
  const watched = watch(guarded, options, (reason) => {
    stop ??= { outcome: 'failed', reason: `over its limit: ${reason}` };
    guarded.kill();
  });
  const timeout = setTimeout(
    () => end('timed_out', `ran longer than ${options.timeoutMs} ms`),
    // A longer delay would fire at once.
    Math.min(options.timeoutMs, 2 ** 31 - 1),
  );
  const onAbort = () => end('cancelled', reasonOf(options.signal));
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();

  const finish = async (): Promise<CommandResult> => {
    try {
      const { exitCode } = await guarded.ended;
      const usage = watched?.usage();
      over = true;
      await drain(following);
      const { problem, ...output } = await following.file.finish();
      if (options.sandbox.kind === 'bubblewrap') removeProcessLimit(guarded.mark);
      await following.proxy?.close();
      await removeSandboxRecord(options.recordPath);
      const succeeded = exitCode === 0;
      return {
        outcome: stop?.outcome ?? (succeeded ? 'succeeded' : 'failed'),
        exitCode,
        signal: exitCode === null ? 'SIGKILL' : signalOf(exitCode),
        startedAt,
        finishedAt: Date.now(),
        output,
        ...(usage && { usage }),
        reason:
          [stop?.reason ?? (succeeded ? null : failure(exitCode)), problem].filter(Boolean).join('; ') ||
          null,
      };
    } finally {
      watched?.stop();
      clearTimeout(timeout);
      clearTimeout(grace);
      options.signal?.removeEventListener('abort', onAbort);
    }
  };
  return { startedAt, finished: finish(), cancel: (reason) => end('cancelled', reason) };
}

/** Without a sandbox nothing tells what belongs to the command. */
function watch(
  guarded: GuardedProcess,
  { sandbox, workspace, limits }: CommandOptions,
  onExceeded: (reason: string) => void,
): SandboxWatch | undefined {
  if (sandbox.kind === 'none') return undefined;
  return watchSandbox({ guard: guarded.identity.pid, workspace, limits, onExceeded });
}

/** Reads what the pipe still holds. In a sandbox nobody is left to hold it open; without one somebody may be. */
async function drain({ consumed, pipe, options }: Following): Promise<void> {
  if (options.sandbox.kind === 'bubblewrap') return consumed;
  const late = new AbortController();
  const patience = delay(drainMs, undefined, { signal: late.signal }).then(
    () => pipe.reader.destroy(new Error('a process that outlived the command holds it open')),
    () => undefined,
  );
  await Promise.race([consumed, patience]);
  late.abort();
  await consumed;
}

function refused(options: CommandOptions, error: ElderError): RunningCommand {
  const cancelled = error.code === 'interrupted' && options.signal?.aborted === true;
  const result: CommandResult = {
    outcome: cancelled ? 'cancelled' : 'refused',
    exitCode: null,
    signal: null,
    startedAt: null,
    finishedAt: Date.now(),
    output: null,
    reason: cancelled ? reasonOf(options.signal) : error.message,
  };
  return { startedAt: null, finished: Promise.resolve(result), cancel: () => undefined };
}

function failure(exitCode: number | null): string {
  if (exitCode === null) return 'the process that held the command was killed';
  const signal = signalOf(exitCode);
  return `exit code ${exitCode}${signal === null ? '' : ` (${signal})`}`;
}

function signalOf(exitCode: number): string | null {
  return Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0] ?? null;
}

function reasonOf(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason.message : String(reason ?? 'cancelled');
}
