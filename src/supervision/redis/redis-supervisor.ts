import { once } from 'node:events';
import type { Authority } from '../../identity/authority.ts';
import type { Credentials } from '../../identity/credentials.ts';
import type { RedisTls } from '../../messaging/redis/redis-connection.ts';
import type { RedisEndpoint } from '../../protocol/bootstrap.ts';
import type { Config } from '../../protocol/config.ts';
import { principals } from '../../protocol/edges.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import type { ManagerEvent } from '../../protocol/local-api.ts';
import type { ProcessRecord, TreeStatus } from '../../protocol/process.ts';
import { redisPortOffset, roster } from '../../protocol/roster.ts';
import { possibleServants } from '../../protocol/servant-pools.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import type { AuditSink } from '../../telemetry/audit/audit-log.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Health, HealthChecker } from '../health/health-checker.ts';
import type { Crash } from '../restarts/crash.ts';
import type { CrashHistory } from '../restarts/crash-memory.ts';
import { RedisGuard, requireSafe } from './acl/redis-guard.ts';
import { loadExternalRedis } from './external-redis.ts';
import type { Loss } from './high-water.ts';
import { RedisAdmin } from './redis-admin.ts';
import { redisPaths } from './redis-files.ts';
import type { RedisGate } from './redis-gate.ts';
import { RedisLife } from './redis-life.ts';
import { ManagedRedis } from './redis-server.ts';
import { RedisUpkeep } from './redis-upkeep.ts';
import { RedisWatch } from './redis-watch.ts';

interface RedisSupervisorOptions {
  readonly folder: StateFolder;
  readonly config: Config;
  readonly authority: Authority;
  readonly credentials: Credentials;
  readonly history: CrashHistory;
  readonly log: Logger;
  readonly audit: AuditSink;
  /** Told when Redis denied more than its log holds. */
  readonly onAclOverflow: (reason: string) => void;
  /** Told when somebody changed the rights of a user of Redis. */
  readonly onAclChanged: (reason: string) => void;
  readonly onChange: () => void;
  /** Told whose state Redis no longer holds. */
  readonly onLoss: (losses: readonly Loss[]) => void;
  readonly onEvent: (kind: ManagerEvent['kind'], name: string, error?: ElderError) => void;
  readonly onCrash: (crash: Crash, history: CrashHistory) => void;
}

/** A ping that takes longer is given up, and the connection with it (ms). */
const pingMs = 2_500;

/** Has Redis there for the tree: runs and restarts a managed one, or keeps watch on one of the user's. */
export class RedisSupervisor implements RedisGate {
  readonly endpoint: RedisEndpoint;
  readonly admin: RedisAdmin;
  readonly #options: RedisSupervisorOptions;
  readonly #managed: ManagedRedis | null;
  /** The process of a managed one. */
  readonly #life: RedisLife | null;
  readonly #changed = new EventTarget();
  readonly #watch: RedisWatch;
  readonly #guard: RedisGuard;
  /** Why this Redis is not safe, where the configuration lets the tree run on it all the same. */
  #insecure: readonly string[] = [];
  #health: HealthChecker | null = null;
  #upkeep: RedisUpkeep | null = null;
  #appendfsync: string;
  /** Set once the users, the library and the durability of this Redis have been seen to. */
  #prepared = false;
  #stopped = false;
  /** Why there is no connection. */
  #away: string | null = null;
  /** What it has lost since the tree was started. */
  #loss: string | null = null;

  private constructor(
    options: RedisSupervisorOptions,
    redis: { managed: ManagedRedis | null; admin: RedisAdmin; endpoint: RedisEndpoint },
  ) {
    this.#options = options;
    this.#managed = redis.managed;
    this.admin = redis.admin;
    this.endpoint = redis.endpoint;
    this.#appendfsync = redis.managed ? options.config.appendfsync : 'unknown';
    this.#watch = new RedisWatch({
      admin: redis.admin,
      tree: options.authority.treeId,
      principals: () => principals(roster(possibleServants(options.config))),
      onLibraryRestored: () => options.log.warn({}, 'the commit function was gone and has been put back'),
      onLoss: (losses) => {
        options.log.error({ losses }, 'Redis has lost data that it had acknowledged');
        options.onLoss(losses);
      },
    });
    const { log, audit, folder, config, onAclOverflow, onAclChanged } = options;
    this.#guard = new RedisGuard({
      admin: redis.admin,
      logFile: redis.managed ? redisPaths(folder).log : null,
      audit,
      log,
      onOverflow: onAclOverflow,
      onChanged: onAclChanged,
      lenient: config.allowInsecureRedis,
    });
    const { history, onCrash, onEvent } = options;
    const managed = redis.managed && {
      ...{ redis: redis.managed, history, config, onCrash, onEvent },
      onDown: () => this.#health?.stop(),
      onAway: (reason: string) => {
        this.#away = reason;
        options.onChange();
      },
      onUp: () => this.#checkHealth(),
      onChange: options.onChange,
    };
    this.#life = managed && new RedisLife(managed);
  }

  /** Prepares it; nothing is started yet. Throws `config_invalid` for a faulty `redis` setting. */
  static async open(options: RedisSupervisorOptions): Promise<RedisSupervisor> {
    const { folder, config, authority, credentials } = options;
    const tls = (): RedisTls => {
      const { certificate, key, ca, isRevoked } = credentials.current();
      return { cert: certificate, key, ca, ...(isRevoked && { isRevoked }) };
    };
    let told = (_connected: boolean, _error?: ElderError): void => undefined;
    const onState = (connected: boolean, error?: ElderError) => told(connected, error);
    let supervisor: RedisSupervisor;
    const tree = authority.treeId;
    if (config.redis === undefined) {
      const port = config.portBase + redisPortOffset;
      const managed = await ManagedRedis.open({ tree, folder, config, port, authority, tls, onState });
      supervisor = new RedisSupervisor(options, {
        managed,
        admin: managed.admin,
        endpoint: managed.endpoint,
      });
    } else {
      const { endpoint, credential } = await loadExternalRedis(config.redis, folder.project);
      const servants = possibleServants(config);
      const onInsecure = (reasons: readonly string[]) => supervisor.#noteInsecure(reasons);
      const lenient = config.allowInsecureRedis ? { onInsecure } : {};
      const { connectionAge: connectionAgeMs } = config.certificates;
      const common = { tree, servants, endpoint, credential, tls, onState, connectionAgeMs };
      const admin = new RedisAdmin({ ...common, ...lenient });
      supervisor = new RedisSupervisor(options, { managed: null, admin, endpoint });
    }
    told = (connected, error) => supervisor.#connectionChanged(connected, error);
    return supervisor;
  }

  get ready(): boolean {
    return this.#prepared && !this.#stopped && this.admin.connected;
  }

  async whenReady(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (!this.ready) await once(this.#changed, 'change', { signal });
  }

  get status(): TreeStatus['redis'] {
    const { host, port } = this.endpoint;
    const away = this.#prepared ? 'unreachable' : 'starting';
    return {
      managed: this.#managed !== null,
      host,
      port,
      pid: this.#life?.pid ?? null,
      state: this.#stopped ? 'stopped' : this.ready ? 'ready' : away,
      restarts: this.#life?.restarts ?? this.#options.history.restarts,
      appendfsync: this.#appendfsync,
      insecure: [...this.#insecure],
      reason: this.ready || this.#stopped ? this.#loss : this.#away,
    };
  }

  /**
   * Starts it, or takes over the one of the record, and makes it fit for the tree; `expectEnded`: it has ended by itself if it
   * is gone, as one does that nobody looks after. Throws what hinders that.
   */
  async start(
    record: ProcessRecord | undefined,
    { signal, expectEnded }: { signal: AbortSignal; expectEnded: boolean },
  ): Promise<void> {
    const { onEvent, config, log } = this.#options;
    onEvent('starting', 'redis');
    await this.#life?.begin(record, { signal, expectEnded });
    await this.admin.ready({ waitMs: config.supervision.startTimeout, signal });
    const { warnings } = await this.admin.verify();
    for (const warning of warnings) log.warn({ warning }, 'this Redis weakens what the tree guarantees');
    await this.#requireSafe();
    await this.admin.loadLibrary();
    await this.#guard.start();
    if (this.#managed === null) this.#appendfsync = await this.#askAppendfsync();
    this.#prepared = true;
    this.#checkHealth();
    const { authority } = this.#options;
    this.#upkeep = new RedisUpkeep({
      tree: authority.treeId,
      admin: this.admin,
      managed: this.#managed,
      gate: this,
      limits: config.certificates,
      log,
    });
    this.#connectionChanged(this.admin.connected);
    onEvent('ready', 'redis');
  }

  /** Ends a managed Redis, or the connection to one of the user's. */
  async stop(mode: 'drain' | 'kill'): Promise<void> {
    this.#life?.abandon();
    this.#health?.stop();
    this.#upkeep?.stop();
    await this.#guard.stop();
    if (mode === 'kill') this.#life?.kill();
    if (this.#managed === null) this.admin.close();
    else await this.#managed.stop(this.#options.config.supervision.shutdown);
    await this.#life?.ended;
    this.#stopped = true;
  }

  /** Ends a managed Redis; its successor has a new key. */
  restartManaged(reason: string): void {
    this.#life?.renew(reason, 'SIGTERM');
  }

  /** Its certificate and the age of its connections. Throws `not_healthy` before it was ready for the first time. */
  get upkeep(): RedisUpkeep {
    if (this.#upkeep === null) throw new ElderError('not_healthy', 'Redis is still being started');
    return this.#upkeep;
  }

  /** Notes for `status` what Redis was found to lack. */
  noteLoss(reason: string): void {
    this.#loss = `lost data: ${reason}`;
    this.#options.onChange();
  }

  async #requireSafe(): Promise<void> {
    const { config, audit, log } = this.#options;
    const reasons = await this.#guard.inspect();
    if (!config.allowInsecureRedis) return requireSafe(reasons);
    this.#noteInsecure(reasons);
    for (const reason of reasons) {
      log.error({ reason }, 'this Redis is open; the configuration lets the tree run on it');
      audit.record({
        kind: 'configuration',
        event: 'insecure_redis',
        by: 'manager',
        object: 'redis',
        reason,
      });
    }
  }

  #noteInsecure(reasons: readonly string[]): void {
    this.#insecure = [...new Set([...this.#insecure, ...reasons])];
  }

  #connectionChanged(connected: boolean, error?: ElderError): void {
    this.#options.log.info({ connected, error: error?.message }, 'connection to Redis');
    this.#away = connected ? null : (error?.reason ?? 'no connection');
    // A Redis of the user's may have come back without the functions it was given.
    if (connected && this.#prepared) {
      this.admin.loadLibrary().catch((error) => {
        this.#options.log.warn({ error }, 'the commit function could not be loaded');
      });
      this.#guard.lengthen().catch((error) => {
        this.#options.log.warn({ error }, 'the ACL log could not be made longer');
      });
    }
    this.#changed.dispatchEvent(new Event('change'));
    this.#options.onChange();
  }

  #checkHealth(): void {
    this.#health?.stop();
    const { probeInterval, redisDeadline } = this.#options.config.supervision;
    this.#health = new HealthChecker({
      probe: () => this.#probe(),
      interval: probeInterval,
      // One of the user's is not ours to end.
      deadline: this.#managed === null ? Infinity : redisDeadline,
      now: () => performance.now(),
      onAnswer: () => undefined,
      onHanging: (reason) => this.#life?.renew(`redis-server hangs: ${reason}`, 'SIGKILL'),
    });
    this.#health.start();
  }

  /** A Redis that answers nothing looks connected until it is asked: the connection is given up then. */
  async #probe(): Promise<Health> {
    try {
      await this.admin.command(['PING'], { timeoutMs: pingMs });
    } catch (thrown) {
      const error = asElderError(thrown);
      // A refusal is an answer, such as that its disk is full.
      if (error.code !== 'redis_refused') return { alive: false, reason: error.reason };
    }
    await this.#watch.look().catch((error) => {
      this.#options.log.warn({ error }, 'Redis could not be looked through');
    });
    return { alive: true, ready: true };
  }

  async #askAppendfsync(): Promise<string> {
    const reply = await this.admin.command(['CONFIG', 'GET', 'appendfsync']).catch(() => []);
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : 'unknown';
  }
}
