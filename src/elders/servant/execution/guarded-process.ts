import { type ChildProcess, spawn } from 'node:child_process';
import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ElderError } from '../../../protocol/errors.ts';
import type { ProcessIdentity } from '../../../protocol/process.ts';
import { endMarkedProcesses } from '../../../telemetry/marked-processes.ts';
import { readProcessIdentity, signalProcess, waitUntilGone } from '../../../telemetry/process-identity.ts';
import { controlFd, guardedShell, taskNodeOptions } from './guard-script.ts';
import { inheritedDescriptors } from './inherited-descriptors.ts';
import type { CommandLimits } from './limits.ts';
import { killGroup, waitUntilGroupGone } from './process-group.ts';

const infoFd = 4;
const argumentsFd = 5;

/** How long the rest of a killed process tree may take to vanish, in ms. */
const vanishMs = 10_000;

/** How long a sandbox that is given up may take to end by itself, in ms. */
const givenUpMs = 5_000;

/** What to start, and in what. */
export interface Launch {
  /** An argument of every process that guards the command, by which they are found; no other process has it. */
  readonly mark: string;
  readonly commandLine: string;
  readonly limits: CommandLimits;
  /** Puts a program before the command. */
  readonly before?: (command: readonly string[]) => string[];
  /** Descriptor that takes the output. */
  readonly output: number;
  /**
   * Descriptor of an empty file, to which bubblewrap writes about its process 1. Not a pipe: it breaks with the
   * servant's death, which would end bubblewrap just after it made process 1 and before that can end by itself.
   */
  readonly report: number;
  readonly workspace: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly sandbox:
    | { readonly kind: 'bubblewrap'; readonly path: string; readonly arguments: readonly string[] }
    | { readonly kind: 'none' };
}

/** How a command ended. */
export interface ProcessEnd {
  /** As a shell tells it, 128 + n for signal n; `null` if somebody killed the guard or the sandbox. */
  readonly exitCode: number | null;
}

/** A command under guard, from the moment at which it waits for the word to begin. */
export interface GuardedProcess {
  /** Process 1 of the sandbox, or the leader of the process group; `null` where a launcher holds the command. */
  readonly identity: ProcessIdentity | null;
  /** Process group with which the command ends. */
  readonly group: number;
  /** See `Launch`. */
  readonly mark: string;
  /** Lets the command begin. */
  begin(): void;
  /** Sends SIGTERM to everything that the command started. */
  terminate(): void;
  /** Sends SIGKILL to everything that the command started. */
  kill(): void;
  /** Resolves when the whole process tree is gone. */
  readonly ended: Promise<ProcessEnd>;
}

/** One that this process started itself. */
export type LaunchedProcess = GuardedProcess & { readonly identity: ProcessIdentity };

/**
 * Sets up a sandbox with the guard in it. Throws `sandbox_unavailable` with what bubblewrap said if the guard
 * never spoke, and `interrupted` when the signal aborts before it did; no command has run then.
 */
export async function launch(plan: Launch, signal: AbortSignal): Promise<LaunchedProcess> {
  let child: ChildProcess;
  try {
    child = start(plan);
  } catch (error) {
    throw new ElderError('sandbox_unavailable', (error as Error).message, { cause: error });
  }
  const complaints = collect(child.stderr!);
  const exited = new Promise<{ code: number | null }>((resolve, reject) => {
    child.once('exit', (code) => resolve({ code }));
    child.once('error', reject);
  });
  exited.catch(() => undefined);
  const control = child.stdio[controlFd] as Socket;
  // A guard that died takes the connection with it; its exit tells us all we need.
  control.on('error', () => undefined);
  const words = createInterface({ input: control });
  words.on('error', () => undefined);
  const spoken = new Promise<true>((resolve) => words.once('line', () => resolve(true)));
  // Not by SIGKILL at once: bubblewrap makes process 1 of the namespace before it binds that to its own life,
  // and killed in between it leaves it waiting for ever. The guard ends by itself when its servant has hung up.
  let backstop: NodeJS.Timeout | undefined;
  const abandon = () => {
    control.end();
    const last = () =>
      void endMarkedProcesses(plan.mark, { groups: true, deadlineMs: vanishMs }).catch(() => {});
    backstop ??= setTimeout(last, givenUpMs);
  };
  signal.addEventListener('abort', abandon, { once: true });
  if (signal.aborted) abandon();
  let identity: ProcessIdentity | undefined;
  try {
    const spoke = await Promise.race([spoken, exited.then(() => false)]);
    const pid = plan.sandbox.kind === 'bubblewrap' ? reportedPid(plan.report) : child.pid;
    identity = spoke && !signal.aborted && pid !== undefined ? readProcessIdentity(pid) : undefined;
    if (identity === undefined) {
      abandon();
      await exited;
      if (signal.aborted) throw new ElderError('interrupted', 'ended before the command began');
      throw new ElderError('sandbox_unavailable', (await complaints) || 'the sandbox ended before it began');
    }
  } catch (error) {
    control.destroy();
    if (error instanceof ElderError) throw error;
    throw new ElderError('sandbox_unavailable', (error as Error).message, { cause: error });
  } finally {
    clearTimeout(backstop);
    signal.removeEventListener('abort', abandon);
  }
  const common = { mark: plan.mark, group: child.pid as number, control, words, exited, identity };
  return plan.sandbox.kind === 'bubblewrap' ? inSandbox(common) : inGroup(common);
}

interface Started {
  readonly mark: string;
  readonly group: number;
  readonly control: Socket;
  readonly words: ReturnType<typeof createInterface>;
  readonly exited: Promise<{ code: number | null }>;
  readonly identity: ProcessIdentity;
}

/** bubblewrap exits with the guard's code, and only after the kernel has ended all of the namespace. */
function inSandbox({ mark, group, control, exited, identity }: Started): LaunchedProcess {
  return {
    mark,
    group,
    identity,
    begin: () => void control.write('go\n'),
    terminate: () => void control.write('terminate\n'),
    kill: () => void signalProcess(identity, 'SIGKILL'),
    ended: exited.then(async ({ code }) => {
      // Already so, unless somebody killed bubblewrap itself: then process 1 dies a moment after it.
      await waitUntilGone(identity, vanishMs);
      control.destroy();
      return { exitCode: code };
    }),
  };
}

/** The leader tells the exit code and stays until its group is killed; what left the group survives. */
function inGroup({ mark, group, control, words, exited, identity }: Started): LaunchedProcess {
  let exitCode: number | null = null;
  let gone = false;
  words.on('line', (line) => {
    exitCode = Number(line.slice('exit '.length));
    killGroup(identity.pid, 'SIGKILL');
  });
  return {
    mark,
    group,
    identity,
    begin: () => void control.write('go\n'),
    terminate: () => void (gone || killGroup(identity.pid, 'SIGTERM')),
    kill: () => void (gone || killGroup(identity.pid, 'SIGKILL')),
    ended: exited.then(async () => {
      // A command may have killed the leader; its group is still ours to end.
      killGroup(identity.pid, 'SIGKILL');
      gone = true;
      await waitUntilGroupGone(identity.pid, vanishMs);
      control.destroy();
      return { exitCode };
    }),
  };
}

function start(plan: Launch): ChildProcess {
  const { sandbox } = plan;
  const shell = ['/bin/sh', ...guardedShell({ ...plan, kind: sandbox.kind })];
  const walled =
    sandbox.kind === 'bubblewrap'
      ? [sandbox.path, '--info-fd', String(infoFd), '--args', String(argumentsFd), '--', ...shell]
      : shell;
  const streams = ['ignore', plan.output, 'pipe', 'pipe'] as const;
  const stdio = sandbox.kind === 'bubblewrap' ? [...streams, plan.report, 'pipe' as const] : [...streams];
  const [file, ...args] = withoutDescriptors(walled, stdio.length) as [string, ...string[]];
  // bubblewrap itself gets no variable of the task: LD_PRELOAD would reach it outside of the sandbox.
  const child = spawn(file, args, {
    cwd: plan.workspace,
    env: sandbox.kind === 'bubblewrap' ? {} : unsandboxedEnvironment(plan.environment),
    // A group of its own, so that Ctrl-C at the terminal of the tree does not reach it.
    detached: true,
    stdio,
  });
  if (sandbox.kind === 'bubblewrap') {
    // By descriptor, because a command line, with the task's variables in it, is readable to every user.
    const options = (child.stdio as readonly unknown[])[argumentsFd] as Socket;
    options.on('error', () => undefined);
    options.end(sandbox.arguments.map((argument) => `${argument}\0`).join(''));
  }
  return child;
}

function unsandboxedEnvironment(environment: Launch['environment']): Record<string, string> {
  const { NODE_OPTIONS: options, ...rest } = environment;
  return options === undefined ? rest : { ...rest, [taskNodeOptions]: options };
}

/** Puts a shell before the program that closes what the servant itself inherited; mostly there is nothing. */
function withoutDescriptors(program: string[], from: number): string[] {
  const inherited = inheritedDescriptors(from);
  if (inherited.length === 0) return program;
  const closing = inherited.map((fd) => `${fd}>&-`).join(' ');
  return ['/bin/bash', '-c', `exec ${closing}; exec "$@"`, 'elders-close', ...program];
}

function reportedPid(report: number): number | undefined {
  const text = Buffer.alloc(1_000);
  const length = readSync(report, text, 0, text.length, 0);
  const pid = /"child-pid":\s*(\d+)/.exec(text.toString('latin1', 0, length))?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** Reads a short text; what goes beyond 8,000 characters is dropped. */
async function collect(stream: Readable): Promise<string> {
  let text = '';
  stream.on('error', () => undefined);
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text = (text + chunk).slice(0, 8_000);
  });
  await new Promise((resolve) => stream.once('close', resolve));
  return text.trim();
}
