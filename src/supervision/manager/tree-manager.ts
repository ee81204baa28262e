import { rm } from 'node:fs/promises';
import { Authority } from '../../identity/authority.ts';
import type { Config } from '../../protocol/config.ts';
import { sourcesOf } from '../../protocol/edges.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import type { ManagerEvent } from '../../protocol/local-api.ts';
import type { ProcessRecord, TreeStatus } from '../../protocol/process.ts';
import { roster } from '../../protocol/roster.ts';
import { possibleServants, startingServants } from '../../protocol/servant-pools.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { operationEntry } from '../audit/operation-entry.ts';
import { TreeAudit } from '../audit/tree-audit.ts';
import { CertificateDesk } from '../certificates/certificate-desk.ts';
import { TreeCertificates } from '../certificates/tree-certificates.ts';
import { loadProcessRecords } from '../elders/process-records.ts';
import { Registry } from '../elders/registry.ts';
import { TreeElders } from '../elders/tree-elders.ts';
import { TreeOperations } from '../operations/tree-operations.ts';
import type { Loss } from '../redis/high-water.ts';
import { RedisSupervisor } from '../redis/redis-supervisor.ts';
import { AfterReplacement } from '../restarts/after-replacement.ts';
import { loadCrashHistory, removeCrashHistory } from '../restarts/crash-memory.ts';
import { liveView } from '../restarts/live-view.ts';
import { ServantRoll } from '../scaling/servant-roll.ts';
import type { ServantScaler } from '../scaling/servant-scaler.ts';
import { forgetStrayServants, treeScaling } from '../scaling/tree-scaling.ts';
import { removeHalfWritten } from './leftovers.ts';
import type { Manager, ManagerOptions } from './manager.ts';
import { connectManagerBroker } from './manager-broker.ts';
import { managerControl } from './manager-control.ts';
import { createManagerCredentials, type ManagerCredentials } from './manager-credentials.ts';
import { tellOfDeath } from './manager-death.ts';
import type { ManagerLock } from './manager-lock.ts';
import { type ManagerControl, ManagerSocket } from './manager-socket.ts';
import { requireTreePorts } from './preflight.ts';
import { TreeAlarms } from './tree-alarms.ts';
import { loadTreeId } from './tree-identity.ts';
import { redisBeforeStart, treeStatusOf } from './tree-state.ts';

/** Ms between two tries at something that waits for Redis. */
const retryDelay = 500;

/** The manager of one tree, from its start to its end. */
export class TreeManager implements Manager {
  readonly #options: ManagerOptions;
  readonly #folder: StateFolder;
  readonly #lock: ManagerLock;
  readonly #log: Logger;
  readonly #startedAt = Date.now();
  readonly #listeners = new Set<(event: ManagerEvent) => void>();
  readonly #starting = new AbortController();
  readonly #stopping = new AbortController();
  readonly #alarms: TreeAlarms;
  readonly #done = Promise.withResolvers<void>();
  readonly #after = new AfterReplacement();
  /** The configuration in force; everybody holds a view of it. */
  #present: Config;
  readonly #config: Config;
  #phase: 'running' | 'stopping' | 'stopped' = 'running';
  #mode: 'drain' | 'kill' = 'drain';
  #wasReady = false;
  #ending = false;
  #tree = '';
  #audit: TreeAudit | null = null;
  #socket: ManagerSocket | null = null;
  #own: ManagerCredentials | null = null;
  #redis: RedisSupervisor | null = null;
  #registry: Registry | null = null;
  #elders: TreeElders | null = null;
  #desk: CertificateDesk | null = null;
  #operations: TreeOperations | null = null;
  /** Which servants there are to be; `null` until it is read from disk. */
  #roll: ServantRoll | null = null;
  #scaler: ServantScaler | null = null;

  constructor(options: ManagerOptions, base: { folder: StateFolder; lock: ManagerLock; log: Logger }) {
    this.#options = options;
    this.#present = options.config;
    this.#config = liveView(() => this.#present);
    this.#folder = base.folder;
    this.#lock = base.lock;
    this.#log = base.log;
    this.#alarms = new TreeAlarms({ folder: base.folder, log: base.log, emit: this.#emit });
    this.#done.promise.catch(() => undefined);
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  get status(): TreeStatus {
    const config = this.#config;
    const { version } = this.#options;
    return treeStatusOf({
      tree: this.#tree,
      phase: this.#phase,
      wasReady: this.#wasReady,
      manager: { pid: process.pid, startedAt: this.#startedAt, version },
      config,
      specs: this.#specs,
      retiring: this.#roll?.retiring ?? new Set(),
      pools: this.#scaler?.state.pools,
      redis: this.#redis?.status ?? redisBeforeStart(config),
      elders: this.#elders?.statuses ?? new Map(),
      spares: this.#elders?.spares ?? [],
      folder: this.#folder,
    });
  }

  get #specs() {
    return this.#roll?.specs ?? roster(startingServants(this.#config));
  }

  async start(): Promise<void> {
    const config = this.#config;
    const { signal, killSignal } = this.#options;
    const folder = this.#folder;
    signal?.addEventListener('abort', () => this.#beginShutdown('drain'), { once: true });
    killSignal?.addEventListener('abort', () => this.#beginShutdown('kill'), { once: true });
    try {
      this.#lock.showLife(Math.min(60_000, config.supervision.orphanTimeout / 10), this.#stopping.signal);
      this.#tree = await loadTreeId(folder.tree);
      const audit = await this.#openAudit();
      this.#socket = await ManagerSocket.open(folder.managerSocket, this.#control());
      await removeHalfWritten(folder);
      const records = await loadProcessRecords(folder);
      this.#roll = await ServantRoll.open(folder, config, records.keys());
      await requireTreePorts(config, this.#roll.specs, records);
      const authority = await Authority.open(folder.secret, this.#tree);
      const certificates = await TreeCertificates.open(authority, folder.certificates);
      this.#own = await createManagerCredentials({
        certificates,
        host: config.host,
        lifetimeMs: config.certificates.lifetime,
        onError: (error) => this.#log.error({ error }, 'the manager could not renew its own certificate'),
      });
      await this.#startTree(certificates, this.#own, records, audit);
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

  #beginShutdown(mode: 'drain' | 'kill', subject: string | null = null): void {
    this.#log.info({ mode }, 'shutdown');
    if (!this.#starting.signal.aborted) {
      this.#audit?.record(operationEntry({ event: 'down', subject, detail: { mode } }));
    }
    if (mode === 'kill') {
      this.#mode = 'kill';
      this.#audit?.record({ kind: 'emergency', event: 'kill', by: 'manager', object: 'the tree' });
    }
    this.#starting.abort(new ElderError('interrupted', 'the tree is being stopped'));
    if (this.#ending && mode === 'kill') void this.#elders?.kill();
    // While the tree starts, the start itself meets the aborted signal and ends it.
    if (this.#wasReady) void this.#end();
  }

  #control(): ManagerControl {
    return managerControl({
      current: () => ({
        tree: this.#tree,
        config: this.#config,
        status: this.status,
        credentials: this.#own?.credentials ?? null,
        redis: this.#redis,
        elders: this.#elders,
        desk: this.#desk,
        audit: this.#audit,
        operations: this.#wasReady ? this.#operations : null,
        scaler: this.#wasReady ? this.#scaler : null,
      }),
      shutdown: (mode) => this.#beginShutdown(mode, 'human'),
      listen: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    });
  }

  async #startTree(
    certificates: TreeCertificates,
    own: ManagerCredentials,
    records: ReadonlyMap<string, ProcessRecord>,
    audit: TreeAudit,
  ): Promise<void> {
    const config = this.#config;
    const { launch } = this.#options;
    const common = {
      folder: this.#folder,
      config,
      authority: certificates.authority,
      certificates,
      credentials: own.credentials,
      log: this.#log,
      audit,
      onEvent: this.#emit,
      onCrash: this.#alarms.crashed,
    };
    const history = await loadCrashHistory(this.#folder, 'redis');
    const onChange = () => this.#options.onStatus?.();
    const redis = await RedisSupervisor.open({
      ...common,
      history,
      onChange,
      onLoss: this.#redisLost,
      onAclOverflow: this.#alarms.aclOverflow,
      onAclChanged: this.#alarms.aclChanged,
    });
    this.#redis = redis;
    const after = this.#after;
    const registry = new Registry(redis.admin, retryDelay);
    this.#registry = registry;
    this.#alarms.report(() => connectManagerBroker({ tree: this.#tree, config, redis, own }));
    tellOfDeath(this.#folder.managerDeath, { audit, alarms: this.#alarms });
    const roll = this.#roll as ServantRoll;
    const elders = new TreeElders({
      ...common,
      specs: () => roll.specs,
      launch,
      redis,
      after,
      onCrash: (crash, history) => after.run(() => this.#alarms.crashed(crash, history)),
      onDataLost: this.#dataLost,
      // Behind the crash that led to it, which may have been put off.
      onEscalation: (escalation) => after.run(() => this.#alarms.escalated(escalation)),
      onSparesChange: () => this.#options.onStatus?.(),
      onBranchHistory: (name, history) => this.#alarms.remember(name, history),
      onChange: (status) => {
        after.run(() => registry.set(status));
        this.#scaler?.touch();
        this.#options.onStatus?.();
      },
    });
    this.#elders = elders;
    const scaler = treeScaling({
      ...{ tree: this.#tree, config, roll, elders, registry, admin: redis.admin, log: this.#log },
      order: this.#alarms.order,
      record: (entry) => audit.record(entry),
      emit: this.#emit,
      onGone: onChange,
      onHindered: this.#alarms.hindered,
      ...(this.#options.mayEndServant && { mayEnd: this.#options.mayEndServant }),
    });
    this.#scaler = scaler;
    this.#operations = new TreeOperations({
      elders,
      scaler,
      specs: () => roll.specs.filter(({ name }) => !roll.retiring.has(name)),
      config: () => this.#present,
      load: this.#options.loadConfig,
      onConfig: (next) => {
        this.#present = next;
        const servants = possibleServants(next);
        redis.admin.users.widen(servants);
        audit.widen(sourcesOf('auditor', roster(servants)));
        audit.noteConfiguration(next).catch((error) => {
          this.#log.error({ error }, 'the changed configuration could not be recorded');
        });
      },
    });
    const expectEnded = this.#wereLeftAlone();
    await elders.open(records, { expectEnded });
    await redis.start(records.get('redis'), { signal: this.#starting.signal, expectEnded });
    const connect = () => connectManagerBroker({ tree: this.#tree, config, redis, own, name: 'auditor' });
    const sources = sourcesOf('auditor', roster(possibleServants(config)));
    await audit.begin({ redis: redis.admin, config, sources, connect });
    audit.record(operationEntry({ event: 'up', detail: { version: this.#options.version } }));
    const { signal } = this.#stopping;
    this.#desk = new CertificateDesk({ ...common, own, redis, elders, signal });
    await forgetStrayServants(redis.admin, roll);
    scaler.announce();
    await elders.start(this.#starting.signal);
    scaler.begin();
    this.#desk.resume();
  }

  /** Whether no manager has run for so long that the elders have ended by themselves. */
  #wereLeftAlone(): boolean {
    const { lastHeld } = this.#lock;
    const { orphanTimeout, probeInterval } = this.#config.supervision;
    // They count from the last probe, which was up to an interval before the manager's end.
    return lastHeld !== null && Date.now() - lastHeld >= orphanTimeout - probeInterval;
  }

  async #openAudit(): Promise<TreeAudit> {
    this.#audit = await TreeAudit.open({
      tree: this.#tree,
      folder: this.#folder.audit,
      log: this.#log,
      retryDelay,
      onTampered: this.#alarms.auditTampered,
    });
    return this.#audit;
  }

  readonly #emit = (
    kind: ManagerEvent['kind'],
    name: string | null,
    error?: ElderError,
    scale?: ManagerEvent['scale'],
  ): void => {
    const told = { error: error?.toJSON() ?? null, ...(scale && { scale }) };
    const event: ManagerEvent = { at: Date.now(), kind, name, ...told };
    this.#log[error === undefined ? 'info' : 'warn']({ elder: name, ...told }, kind);
    this.#options.onEvent?.(event);
    for (const listener of this.#listeners) listener(event);
  };

  /** The processes whose state Redis no longer holds are replaced by ones that start from what it does hold. */
  readonly #redisLost = (losses: readonly Loss[]): void => {
    this.#dataLost(losses.map(({ reason }) => reason).join('; '));
    for (const { name, reason } of losses) this.#elders?.replaceAfterLoss(name, reason);
  };

  readonly #dataLost = (reason: string): void => {
    this.#redis?.noteLoss(reason);
    this.#alarms.dataLost(reason);
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
    this.#stopping.abort(new ElderError('interrupted', 'the tree is being stopped'));
    this.#emit('stopping', null);
    this.#after.flush();
    await this.#alarms.settled();
    const scaled = this.#scaler?.stop();
    await this.#elders?.stop(() => this.#mode);
    await scaled;
    await this.#alarms.close();
    await this.#registry?.close(this.#redis?.ready ? [...(this.#elders?.statuses.keys() ?? [])] : []);
    await this.#audit?.settle();
    await this.#redis?.stop(this.#mode);
    await this.#audit?.close();
    if (this.#redis !== null) {
      await removeCrashHistory(this.#folder, 'redis');
      await ServantRoll.forget(this.#folder);
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
