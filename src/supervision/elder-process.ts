import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import type { Authority } from '../identity/authority.ts';
import { verifyKeyProof } from '../identity/key-proof.ts';
import type { Challenge, RedisCredential, RedisEndpoint, ToChild } from '../protocol/bootstrap.ts';
import type { Config } from '../protocol/config.ts';
import { ElderError, type ErrorCode, errorTable } from '../protocol/errors.ts';
import type { ProcessIdentity } from '../protocol/process.ts';
import type { StateFolder } from '../protocol/state-folder.ts';
import { readProcessIdentity } from '../telemetry/process-identity.ts';
import { readJsonLines } from './json-lines.ts';
import { certificateAddresses } from './listen-address.ts';
import { saveProcessRecord } from './process-records.ts';
import { openRawOutput } from './raw-output.ts';
import { describeExit, type ProcessExit, type RunningProcess } from './running-process.ts';

/** How the program of an elder is started; its name comes last in the arguments that `args` gives. */
export interface Launch {
  readonly command: string;
  args(name: string): string[];
}

/** First line of a child. */
export const keyProof = z.object({ kind: z.literal('key'), publicKey: z.string(), signature: z.string() });
const errorCode = z.string().refine((code): code is ErrorCode => Object.hasOwn(errorTable, code));
/** Every later line of a child. */
export const childReport = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('unready'), reason: z.string() }),
  z.object({ kind: z.literal('data_lost'), reason: z.string() }),
  z.object({ kind: z.literal('failed'), error: z.object({ code: errorCode, reason: z.string() }) }),
]);
/** What a child says about itself once it has its start order. */
export type Report = z.infer<typeof childReport>;

/** The most characters of one line from a child. */
const maxLine = 65_536;
/** What a child may see of the manager's environment: nothing in it is secret, nothing changes how Node runs. */
const environment = ['PATH', 'HOME', 'LANG', 'TZ'];

interface ElderStart {
  readonly name: string;
  readonly incarnation: number;
  readonly restarts: number;
  readonly port: number;
  readonly config: Config;
  readonly folder: StateFolder;
  readonly launch: Launch;
  readonly authority: Authority;
  readonly redis: RedisEndpoint;
  /** By principal. */
  readonly credentials: Readonly<Record<string, RedisCredential>>;
  readonly onReport: (report: Report) => void;
  /** Ends the attempt to start it; the process is killed. */
  readonly signal: AbortSignal;
}

/**
 * Starts the process of one elder and hands it its identity and its secrets. Resolves once it has its start
 * order; what it makes of it comes through `onReport`. Rejects with `start_failed` or `denied`, and the
 * process is gone then.
 */
export async function startElderProcess(start: ElderStart): Promise<RunningProcess> {
  start.signal.throwIfAborted();
  const startedAt = Date.now();
  const child = spawnChild(start);
  const exited = exitOf(child);
  const pid = child.pid;
  if (pid === undefined) {
    const [error] = (await once(child, 'error').catch((cause: unknown) => [cause])) as [Error];
    throw new ElderError('start_failed', `${start.name}: ${error.message}`, { cause: error });
  }
  const abort = () => child.kill('SIGKILL');
  start.signal.addEventListener('abort', abort, { once: true });
  try {
    const identity = readProcessIdentity(pid);
    if (identity === undefined) throw await failure(start, exited);
    const process = toRunningProcess(child, { identity, exited, incarnation: start.incarnation, startedAt });
    await noteProcess(start, identity, startedAt);
    await introduce(start, child.stdio[3] as Duplex, exited);
    return process;
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    throw error;
  } finally {
    start.signal.removeEventListener('abort', abort);
  }
}

function spawnChild(start: ElderStart): ChildProcess {
  const output = openRawOutput(start.folder.rawOutput(start.name), start.config.log.maxBytes);
  try {
    return spawn(start.launch.command, start.launch.args(start.name), {
      cwd: start.folder.project,
      // A session of its own: Ctrl-C at the terminal reaches the manager only, which then ends it in order.
      detached: true,
      // Files, not pipes: with the manager's death a pipe would break and take the child along.
      stdio: ['ignore', output, output, 'pipe'],
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

function toRunningProcess(
  child: ChildProcess,
  facts: Pick<RunningProcess, 'identity' | 'exited' | 'incarnation' | 'startedAt'>,
): RunningProcess {
  return {
    ...facts,
    // Node refuses once it has reaped the child, so the signal cannot reach a stranger with the same pid.
    kill: (signal) => void child.kill(signal),
  };
}

async function noteProcess(start: ElderStart, identity: ProcessIdentity, startedAt: number): Promise<void> {
  const { name, incarnation, port, restarts, config } = start;
  await saveProcessRecord(start.folder, {
    ...identity,
    name,
    incarnation,
    host: config.host,
    port,
    startedAt,
    restarts,
  });
}

async function introduce(start: ElderStart, channel: Duplex, exited: Promise<ProcessExit>): Promise<void> {
  // The child may end at any time; that is told by its exit, not by a broken pipe.
  channel.on('error', () => undefined);
  const lines = readJsonLines(channel, maxLine);
  const challenge: Challenge = {
    kind: 'challenge',
    tree: start.authority.treeId,
    name: start.name,
    incarnation: start.incarnation,
    nonce: randomBytes(32).toString('base64url'),
  };
  send(channel, challenge);
  const first = await lines.next();
  if (first.done) throw await failure(start, exited);
  const proof = keyProof.safeParse(first.value);
  if (!proof.success)
    throw new ElderError('start_failed', `${start.name} does not follow the start protocol`);
  const { certificatePem } = await start.authority.issue({
    name: start.name,
    addresses: certificateAddresses(start.config.host),
    lifetimeMs: start.config.certificates.lifetime,
    publicKey: verifyKeyProof(challenge, proof.data),
  });
  send(channel, {
    kind: 'start',
    certificate: certificatePem,
    ca: start.authority.caPem,
    host: start.config.host,
    port: start.port,
    project: start.folder.project,
    config: start.config,
    redis: start.redis,
    credentials: start.credentials,
  });
  void pumpReports(lines, start);
}

function send(channel: Duplex, line: ToChild): void {
  channel.write(`${JSON.stringify(line)}\n`);
}

async function pumpReports(lines: AsyncGenerator<unknown, void>, start: ElderStart): Promise<void> {
  try {
    for await (const line of lines) start.onReport(childReport.parse(line));
  } catch (error) {
    const reason = `${start.name} does not follow the start protocol: ${(error as Error).message}`;
    start.onReport({ kind: 'failed', error: { code: 'start_failed', reason } });
  }
}

async function failure(start: ElderStart, exited: Promise<ProcessExit>): Promise<ElderError> {
  const exit = await exited;
  return new ElderError('start_failed', `${start.name} ${describeExit(exit)} before it was ready`, {
    detail: { exit, output: start.folder.rawOutput(start.name) },
  });
}
