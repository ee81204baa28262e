import { rm } from 'node:fs/promises';
import { Authority } from '../identity/authority.ts';
import { readDeadLetter, readDeadLetters } from '../messaging/dead-letters.ts';
import { RedisBroker } from '../messaging/redis/redis-broker.ts';
import { readMessage, readTrace } from '../messaging/trace.ts';
import type { Config } from '../protocol/config.ts';
import { asElderError, ElderError } from '../protocol/errors.ts';
import { treeKeys } from '../protocol/keys.ts';
import type { ManagerEvent } from '../protocol/local-api.ts';
import type { ElderStatus, ProcessIdentity, ProcessRecord, TreeStatus } from '../protocol/process.ts';
import { redisPortOffset, roster } from '../protocol/roster.ts';
import type { StateFolder } from '../protocol/state-folder.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { isSameProcess, readProcessIdentity } from '../telemetry/process-identity.ts';
import { type CrashHistory, loadCrashHistory, removeCrashHistory, saveCrashHistory } from './crash-memory.ts';
import type { Launch } from './elder-process.ts';
import type { Crash } from './elder-supervisor.ts';
import { IncidentReporter } from './incident-reporter.ts';
import { createManagerCredentials, type ManagerCredentials } from './manager-credentials.ts';
import { ManagerLock } from './manager-lock.ts';
import { type ManagerControl, ManagerSocket } from './manager-socket.ts';
import { type NeededPort, requireFreePorts } from './preflight.ts';
import { loadProcessRecords } from './process-records.ts';
import type { RedisAdmin } from './redis-admin.ts';
import { RedisSupervisor } from './redis-supervisor.ts';
import type { Loss } from './redis-watch.ts';
import { Registry } from './registry.ts';
import { TreeElders } from './tree-elders.ts';
import { prepareTreeFolder } from './tree-folder.ts';
import { loadTreeId } from './tree-identity.ts';
import { elderBeforeStart, treeState } from './tree-state.ts';

/** How a tree is to be run. */
export interface ManagerOptions {
  /** Folder whose `.elders` belongs to the tree; absolute. */
  readonly project: string;
  readonly config: Config;
  /** Version of this program, for `status`. */
  readonly version: string;
  readonly launch: Launch;
  readonly onEvent?: (event: ManagerEvent) => void;
  /** Called whenever the status of an elder or of Redis has changed. */
  readonly onStatus?: (status: TreeStatus) => void;
  /** Drains the tree when it aborts, while it is being started too. */
  readonly signal?: AbortSignal;
  /** Kills the tree when it aborts. */
  readonly killSignal?: AbortSignal;
}

/** A tree that runs. */
export interface Manager {
  readonly status: TreeStatus;
  /** Resolves when the tree has been stopped and nothing of it remains; rejects when that failed. */
  readonly done: Promise<void>;
  /** Stops the tree: `drain` in reverse order, each within its shutdown time; `kill` at once. Resolves as `done`. */
  shutdown(mode: 'drain' | 'kill'): Promise<void>;
}

/** Incidents that wait for Redis before the oldest is dropped. */
const incidentLimit = 1_000;
/** Ms between two tries at something that waits for Redis. */
const retryDelay = 500;

/**
 * Starts the tree of a project, or takes over what an earlier manager left running, and resolves once all of
 * it is ready. When that fails, what was started is stopped in reverse order and it rejects with the cause:
 * `already_running`, `port_taken`, `start_failed`, `redis_unreachable`, `interrupted` and others.
 */
export async function runManager(options: ManagerOptions): Promise<Manager> {
  if (options.signal?.aborted || options.killSignal?.aborted) {
    throw new ElderError('interrupted', 'interrupted before the start');
  }
  const folder = await prepareTreeFolder(options.project);
  const lock = ManagerLock.take(folder.managerLock, readProcessIdentity(process.pid) as ProcessIdentity);
  let log: Logger;
  try {
    log = createLogger({ name: 'manager', ...options.config.log, file: folder.logFile('manager') });
  } catch (error) {
    lock.release();
    throw error;
  }
  const manager = new TreeManager(options, { folder, lock, log });
  await manager.start();
  return manager;
}

class TreeManager implements Manager {
  readonly #options: ManagerOptions;
  readonly #folder: StateFolder;
  readonly #lock: ManagerLock;
  readonly #log: Logger;
  readonly #startedAt = Date.now();
  readonly #listeners = new Set<(event: ManagerEvent) => void>();
  readonly #starting = new AbortController();
  readonly #done = Promise.withResolvers<void>();
  #phase: 'running' | 'stopping' | 'stopped' = 'running';
  #mode: 'drain' | 'kill' = 'drain';
  #wasReady = false;
  #ending = false;
  #remembering: Promise<void> = Promise.resolve();
  #tree = '';
  #socket: ManagerSocket | null = null;
  #own: ManagerCredentials | null = null;
  #redis: RedisSupervisor | null = null;
  #registry: Registry | null = null;
  #incidents: IncidentReporter | null = null;
  #elders: TreeElders | null = null;

  constructor(options: ManagerOptions, base: { folder: StateFolder; lock: ManagerLock; log: Logger }) {
    this.#options = options;
    this.#folder = base.folder;
    this.#lock = base.lock;
    this.#log = base.log;
    this.#done.promise.catch(() => undefined);
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  get status(): TreeStatus {
    const { config, version } = this.#options;
    const known = this.#elders?.statuses ?? new Map<string, ElderStatus>();
    const elders = roster(config.servants).map(
      (spec) => known.get(spec.name) ?? elderBeforeStart(spec, config.portBase),
    );
    const redis = this.#redis?.status ?? {
      managed: config.redis === undefined,
      host: config.host,
      port: config.portBase + redisPortOffset,
      pid: null,
      state: 'starting' as const,
      restarts: 0,
      appendfsync: config.appendfsync,
      reason: null,
    };
    return {
      schemaVersion: 1,
      tree: this.#tree,
      state: treeState({ phase: this.#phase, wasReady: this.#wasReady, redis: redis.state, elders }),
      manager: { pid: process.pid, startedAt: this.#startedAt, version },
      redis,
      sandbox: config.sandbox,
      elders,
    };
  }

  async start(): Promise<void> {
    const { config, signal, killSignal } = this.#options;
    const folder = this.#folder;
    signal?.addEventListener('abort', () => this.#beginShutdown('drain'), { once: true });
    killSignal?.addEventListener('abort', () => this.#beginShutdown('kill'), { once: true });
    try {
      this.#tree = await loadTreeId(folder.tree);
      this.#socket = await ManagerSocket.open(folder.managerSocket, this.#control());
      const records = await loadProcessRecords(folder);
      await this.#checkPorts(records);
      const authority = await Authority.open(folder.secret, this.#tree);
      this.#own = await createManagerCredentials({
        authority,
        host: config.host,
        lifetimeMs: config.certificates.lifetime,
        onError: (error) => this.#log.error({ error }, 'the manager could not renew its own certificate'),
      });
      await this.#startTree(authority, this.#own, records);
      this.#starting.signal.throwIfAborted();
      this.#wasReady = true;
      this.#emit('tree_ready', null);
    } catch (thrown) {
      const { aborted, reason } = this.#starting.signal;
      const error = asElderError(aborted ? reason : thrown);
      if (!aborted) this.#emit('failed', null, error);
      await this.#end();
      throw error;
    }
  }

  async shutdown(mode: 'drain' | 'kill'): Promise<void> {
    this.#beginShutdown(mode);
    await this.done;
  }

  #beginShutdown(mode: 'drain' | 'kill'): void {
    this.#log.info({ mode }, 'shutdown');
    if (mode === 'kill') this.#mode = 'kill';
    this.#starting.abort(new ElderError('interrupted', 'the tree is being stopped'));
    if (this.#ending && mode === 'kill') void this.#elders?.kill();
    // While the tree starts, the start itself meets the aborted signal and ends it.
    if (this.#wasReady) void this.#end();
  }

  #control(): ManagerControl {
    const elders = roster(this.#options.config.servants).map((spec) => spec.name);
    const readers = ['gateway', ...elders];
    return {
      status: () => this.status,
      shutdown: (mode, listener) => {
        this.#listeners.add(listener);
        this.#beginShutdown(mode);
      },
      trace: async (correlationId, signal) =>
        readTrace(this.#requireRedis(), treeKeys(this.#tree), correlationId, { elders, signal }),
      message: async (id, signal) =>
        readMessage(this.#requireRedis(), treeKeys(this.#tree), id, { elders, signal }),
      deadLetters: async (signal) =>
        readDeadLetters(this.#requireRedis(), treeKeys(this.#tree), { elders: readers, signal }),
      deadLetter: async (id, signal) =>
        readDeadLetter(this.#requireRedis(), treeKeys(this.#tree), id, { elders: readers, signal }),
    };
  }

  #requireRedis(): RedisAdmin {
    if (this.#redis === null) throw new ElderError('redis_unreachable', 'Redis is not started yet');
    return this.#redis.admin;
  }

  async #checkPorts(records: ReadonlyMap<string, ProcessRecord>): Promise<void> {
    const { host, portBase, servants, redis } = this.#options.config;
    const needed: NeededPort[] = roster(servants).map(({ name, portOffset }) => ({
      name,
      port: portBase + portOffset,
    }));
    if (redis === undefined) needed.push({ name: 'redis', port: portBase + redisPortOffset });
    // A port held by a process of this very tree is not taken: that process is taken over, or ended, below.
    const own = new Set([...records.values()].filter(isSameProcess).map((record) => record.port));
    await requireFreePorts(
      host,
      needed.filter(({ port }) => !own.has(port)),
    );
  }

  async #startTree(
    authority: Authority,
    own: ManagerCredentials,
    records: ReadonlyMap<string, ProcessRecord>,
  ): Promise<void> {
    const { config, launch } = this.#options;
    const common = {
      folder: this.#folder,
      config,
      authority,
      credentials: own.credentials,
      log: this.#log,
      onEvent: this.#emit,
      onCrash: this.#crashed,
    };
    const history = await loadCrashHistory(this.#folder, 'redis');
    const onChange = () => this.#options.onStatus?.(this.status);
    const redis = await RedisSupervisor.open({ ...common, history, onChange, onLoss: this.#redisLost });
    this.#redis = redis;
    const registry = new Registry(redis.admin, retryDelay);
    this.#registry = registry;
    this.#incidents = new IncidentReporter({
      connect: () => this.#connectBroker(redis, own),
      limit: incidentLimit,
      retryDelay,
      onError: (error, waiting) => this.#log.warn({ error, waiting }, 'incidents wait'),
    });
    this.#elders = new TreeElders({
      ...common,
      launch,
      redis,
      onDataLost: this.#alarmDataLost,
      onChange: (status) => {
        registry.set(status);
        this.#options.onStatus?.(this.status);
      },
    });
    await redis.start(records.get('redis'), this.#starting.signal);
    await this.#elders.start(records, this.#starting.signal);
  }

  async #connectBroker(redis: RedisSupervisor, own: ManagerCredentials): Promise<RedisBroker> {
    const { edgeLimit, retain } = this.#options.config.messages;
    const credential = await redis.admin.createIncarnation('manager');
    return new RedisBroker({
      tree: this.#tree,
      name: 'manager',
      incarnation: credential.incarnation,
      endpoint: redis.endpoint,
      credential,
      tls: () => {
        const { certificate, key, ca } = own.credentials.current();
        return { cert: certificate, key, ca };
      },
      edgeLimit,
      retain,
    });
  }

  readonly #emit = (kind: ManagerEvent['kind'], name: string | null, error?: ElderError): void => {
    const event: ManagerEvent = { at: Date.now(), kind, name, error: error?.toJSON() ?? null };
    this.#log[error === undefined ? 'info' : 'warn']({ elder: name, error: event.error }, kind);
    this.#options.onEvent?.(event);
    for (const listener of this.#listeners) listener(event);
  };

  readonly #crashed = ({ name, kind, reason }: Crash, history: CrashHistory): void => {
    if (kind === 'data_lost') this.#alarmDataLost(reason);
    this.#remembering = this.#remembering
      .then(() => saveCrashHistory(this.#folder, name, history))
      .catch((error) => this.#log.warn({ error, elder: name }, 'the crash could not be remembered'));
    this.#incidents?.raise({
      fingerprint: `manager:${name}:${kind}`,
      title: kind === 'given_up' ? `${name} was given up` : `${name} ended unexpectedly`,
      severity: kind === 'given_up' ? 'critical' : name === 'redis' ? 'high' : 'medium',
      detail: reason.slice(0, 8_000),
      directiveId: null,
    });
  };

  /** The processes whose state Redis no longer holds are replaced by ones that start from what it does hold. */
  readonly #redisLost = (losses: readonly Loss[]): void => {
    this.#alarmDataLost(losses.map(({ reason }) => reason).join('; '));
    for (const { name, reason } of losses) this.#elders?.replaceAfterLoss(name, reason);
  };

  readonly #alarmDataLost = (reason: string): void => {
    this.#redis?.noteLoss(reason);
    this.#emit('data_lost', 'redis', new ElderError('data_lost', reason));
    this.#incidents?.raise({
      fingerprint: 'manager:redis:data_lost',
      title: 'Redis has lost data that it had acknowledged',
      severity: 'critical',
      detail: reason.slice(0, 8_000),
      directiveId: null,
    });
  };

  /** Stops everything, once, however often it is called; resolves when nothing remains. */
  async #end(): Promise<void> {
    if (!this.#ending) {
      this.#ending = true;
      this.#stopAll().then(this.#done.resolve, (error) => {
        this.#log.error({ error }, 'the tree could not be stopped');
        this.#done.reject(error);
      });
    }
    await this.done.catch(() => undefined);
  }

  async #stopAll(): Promise<void> {
    this.#phase = 'stopping';
    this.#emit('stopping', null);
    await this.#remembering;
    await this.#elders?.stop(() => this.#mode);
    await this.#incidents?.close();
    await this.#registry?.close(this.#redis?.ready ? [...(this.#elders?.statuses.keys() ?? [])] : []);
    await this.#redis?.stop(this.#mode);
    if (this.#redis !== null) {
      await removeCrashHistory(this.#folder, 'redis');
      await rm(this.#folder.gatewaySocket, { force: true });
    }
    this.#own?.close();
    this.#phase = 'stopped';
    // In this order: once the lock is free another manager may open its own socket at the same place.
    const closed = this.#socket?.close();
    this.#lock.release();
    this.#emit('tree_stopped', null);
    await closed;
    this.#log.close();
  }
}
