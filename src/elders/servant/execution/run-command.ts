import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { AttemptUsage } from '../../../protocol/directive.ts';
import { asElderError, type ElderError } from '../../../protocol/errors.ts';
import type { AttemptOutcome } from '../../../protocol/states.ts';
import { removeSandboxGroups } from '../../../telemetry/sandbox-leftovers.ts';
import { type HostAccess, openHostAccess } from '../network/host-access.ts';
import { beginCommand } from './begin-command.ts';
import type { SandboxPolicy } from './bubblewrap-arguments.ts';
import { planCommand } from './command-plan.ts';
import type { GuardedProcess } from './guarded-process.ts';
import type { Launcher } from './launcher/launcher.ts';
import type { CommandLimits } from './limits.ts';
import { OutputFile, type OutputSummary } from './output-file.ts';
import { removeSandboxRecord } from './sandbox-record.ts';
import { type SandboxWatch, watchSandbox } from './sandbox-watch.ts';

/** How long output is read after the end of a command whose escaped processes may hold the pipe open, in ms. */
const drainMs = 1_000;

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
  /** Ends the command where this process no longer can, and starts it where it is able to. */
  readonly launcher?: Launcher | undefined;
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
  let proxy: HostAccess | undefined;
  try {
    proxy = await openHosts(options);
    const sandboxed = await planCommand(options, proxy);
    file = OutputFile.open(path, options.limits.output);
    const { guarded, reader } = await beginCommand(sandboxed, options);
    const consumed = file.consume(reader);
    return follow(guarded, { file, reader, consumed, options, proxy, startedAt: Date.now() });
  } catch (error) {
    await file?.finish();
    await proxy?.close();
    return refused(options, asElderError(error));
  }
}

async function openHosts({ sandbox, recordPath }: CommandOptions): Promise<HostAccess | undefined> {
  if (sandbox.kind === 'none' || sandbox.network || !sandbox.hosts?.length) return undefined;
  const { hosts, onRefusedHost: onRefused = () => undefined } = sandbox;
  return openHostAccess({ hosts, onRefused, recordPath });
}

interface Following {
  readonly file: OutputFile;
  readonly reader: Socket;
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
      if (options.sandbox.kind === 'bubblewrap') removeSandboxGroups(guarded.mark);
      await following.proxy?.close();
      removeSandboxRecord(options.recordPath);
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
  if (sandbox.kind === 'none' || guarded.identity === null) return undefined;
  return watchSandbox({ guard: guarded.identity.pid, workspace, limits, onExceeded });
}

/** Reads what the pipe still holds. In a sandbox nobody is left to hold it open; without one somebody may be. */
async function drain({ consumed, reader, options }: Following): Promise<void> {
  if (options.sandbox.kind === 'bubblewrap') return consumed;
  const giveUp = () => reader.destroy(new Error('a process that outlived the command holds it open'));
  const patience = setTimeout(giveUp, drainMs);
  await consumed;
  clearTimeout(patience);
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
