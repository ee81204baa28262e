import type { Authority, PreparedCertificate } from '../../identity/authority.ts';
import type { RedisCredential, RedisEndpoint } from '../../protocol/bootstrap.ts';
import type { Config } from '../../protocol/config.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { saveProcessRecord } from './process-records.ts';
import type { RunningProcess } from './running-process.ts';
import { type SpawnedElder, startFailure } from './spawn-elder.ts';
import { introduce, type Report } from './start-protocol.ts';

interface ElderStart {
  readonly name: string;
  readonly incarnation: number;
  readonly restarts: number;
  readonly port: number;
  readonly config: Config;
  readonly folder: StateFolder;
  readonly authority: Authority;
  /** Serial numbers of the certificates that were taken back. */
  readonly revoked: readonly string[];
  readonly redis: RedisEndpoint;
  /** Folders of elders that it could have become. */
  readonly relinquish: readonly string[];
  /** By principal; they may still be made, and are known from the start. */
  readonly incarnations: Readonly<Record<string, number>>;
  /** By principal; handed over as soon as they are there. */
  readonly credentials: Promise<Readonly<Record<string, RedisCredential>>>;
  /** Called before it is told who it is. */
  readonly moveIn?: () => void;
  /** The key that it has proved already to have. */
  readonly proved?: Buffer;
  /** A certificate made ahead for that key. */
  readonly prepared?: PreparedCertificate;
  readonly onReport: (report: Report) => void;
  /** Whether no process of the tree has been replaced lately. */
  readonly isCalm: () => boolean;
  /** Ends the attempt to start it; the process is killed. */
  readonly signal: AbortSignal;
}

/**
 * Makes a waiting process the elder of that name: notes it on disk and hands it its identity and its secrets.
 * Resolves once it has its start order; what it makes of it comes through `onReport`. Rejects with
 * `start_failed` or `denied`, and the process is gone then.
 */
export async function admitElder(spawned: SpawnedElder, start: ElderStart): Promise<RunningProcess> {
  const {
    name,
    incarnation,
    restarts,
    port,
    config,
    folder,
    authority,
    redis,
    incarnations,
    revoked,
    relinquish,
    proved,
    prepared,
    signal,
  } = start;
  const { identity, exited, kill } = spawned;
  const startedAt = Date.now();
  const abort = () => kill('SIGKILL');
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const { host } = config;
    const record = { ...identity, name, incarnation, host, port, startedAt, restarts };
    // Should this manager end, the next one must know of the process before that can do anything in Redis.
    const noted = saveProcessRecord(folder, record);
    const credentials = Promise.all([start.credentials, noted]).then(([given]) => given);
    credentials.catch(() => undefined);
    start.moveIn?.();
    const probe = await introduce(spawned, {
      name,
      incarnation,
      authority,
      order: {
        pid: identity.pid,
        ...{ host, port, project: folder.project, config },
        ...{ redis, revoked, relinquish, incarnations },
      },
      credentials,
      onReport: start.onReport,
      isCalm: start.isCalm,
      ...(proved && { proved }),
      ...(prepared && { prepared }),
    });
    if (probe === null) throw startFailure(name, folder, await exited);
    return { identity, exited, incarnation, startedAt, kill, probe: () => probe.probe() };
  } catch (error) {
    kill('SIGKILL');
    await exited;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
