import { z } from 'zod';
import type { Credentials } from '../../identity/credentials.ts';
import type { ProcessRecord } from '../../protocol/process.ts';
import { isSameProcess, signalProcess, waitUntilGone } from '../../telemetry/process-identity.ts';
import { ElderClient } from './elder-client.ts';
import type { ProcessExit, RunningProcess } from './running-process.ts';

const info = z.object({ name: z.string(), incarnation: z.int() });
/** The kernel needs this long at most to end a process by SIGKILL, unless its disk hangs. */
const killMs = 10_000;

interface AdoptionOptions {
  readonly record: ProcessRecord;
  readonly tree: string;
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials;
  /** Tells whether the certificate with this serial number is the last one that its holder was given. */
  readonly isCurrent?: (serial: string) => boolean;
  /** Ms that it may take to prove itself. */
  readonly proofMs: number;
  /** Ms between two looks at whether it still exists. */
  readonly lookInterval: number;
}

/**
 * Takes over a process that an earlier manager started: the one with exactly the pid, start time and boot of
 * the record, and only when it proves by its certificate that it is this incarnation of this elder. A process
 * that lives but does not prove it is killed. Resolves to `null` when there is nothing to take over; a foreign
 * process that has the pid now is left alone.
 */
export async function adoptProcess(options: AdoptionOptions): Promise<RunningProcess | null> {
  const { record } = options;
  if (!isSameProcess(record)) return null;
  if (record.port === options.port && (await provesItself(options))) {
    return watchProcess(record, options.lookInterval);
  }
  await endProcess(record);
  return null;
}

/** Kills exactly the process of a record, if it still lives, and waits until it is gone. Throws `timed_out` if it stays. */
export async function endProcess(record: ProcessRecord): Promise<void> {
  if (signalProcess(record, 'SIGKILL')) await waitUntilGone(record, killMs);
}

async function provesItself(options: AdoptionOptions): Promise<boolean> {
  const { record, tree, host, port, credentials, isCurrent } = options;
  const client = new ElderClient({
    credentials,
    tree,
    name: record.name,
    host,
    port,
    // No manager may have been there to renew it.
    ...(isCurrent && { isCurrent }),
  });
  try {
    const answer = await client.request({ method: 'GET', path: '/v1/info', timeoutMs: options.proofMs });
    const claim = info.parse(JSON.parse(answer.body));
    return claim.name === record.name && claim.incarnation === record.incarnation;
  } catch {
    return false;
  } finally {
    client.close();
  }
}

/** Nothing announces the end of a process that is not our child, so it is looked for at an interval. */
function watchProcess(record: ProcessRecord, lookInterval: number): RunningProcess {
  const { pid, startTime, bootId, incarnation, startedAt } = record;
  const exited = new Promise<ProcessExit>((resolve) => {
    const timer = setInterval(() => {
      if (isSameProcess(record)) return;
      clearInterval(timer);
      resolve({ code: null, signal: null });
    }, lookInterval);
  });
  return {
    identity: { pid, startTime, bootId },
    incarnation,
    startedAt,
    exited,
    kill: (signal) => void signalProcess(record, signal),
  };
}
