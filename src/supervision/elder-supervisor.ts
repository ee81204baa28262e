import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../protocol/config.ts';
import { asElderError, ElderError } from '../protocol/errors.ts';
import type { ManagerEvent } from '../protocol/local-api.ts';
import type { ElderStatus } from '../protocol/process.ts';
import type { ElderSpec, Role } from '../protocol/roster.ts';
import type { CrashHistory } from './crash-memory.ts';
import type { Report } from './elder-process.ts';
import type { Health } from './health-checker.ts';
import { RestartPolicy } from './restart-policy.ts';
import { describeExit, type ProcessExit, type RunningProcess } from './running-process.ts';
import { runningTimeout } from './running-timeout.ts';
import { elderBeforeStart } from './tree-state.ts';

/** Whether Redis, without which no elder can start, is there. */
export interface RedisGate {
  readonly ready: boolean;
  /** Resolves once it is; rejects when the signal aborts. */
  whenReady(signal: AbortSignal): Promise<void>;
}

/** What a monitor of one process tells. */
export interface MonitorHandlers {
  readonly onAnswer: (health: Extract<Health, { alive: true }>) => void;
  readonly onHanging: (reason: string) => void;
}

/** An unexpected end of a process, for the incident sage. */
export interface Crash {
  readonly name: string;
  readonly kind: 'exit' | 'hang' | 'start' | 'given_up' | 'data_lost';
  readonly reason: string;
}

interface ElderSupervisorOptions {
  readonly spec: ElderSpec;
  readonly port: number;
  readonly limits: Config['supervision'];
  readonly history: CrashHistory;
  readonly redis: RedisGate;
  /** Starts one process of this elder, as `startElderProcess` does. */
  readonly launch: (options: {
    restarts: number;
    onReport: (report: Report) => void;
    signal: AbortSignal;
  }) => Promise<RunningProcess>;
  /** Watches a process until `stop` is called. */
  readonly monitor: (process: RunningProcess, handlers: MonitorHandlers) => { stop(): void };
  readonly onChange: (status: ElderStatus) => void;
  readonly onEvent: (kind: ManagerEvent['kind'], name: string, error?: ElderError) => void;
  readonly onCrash: (crash: Crash, history: CrashHistory) => void;
  /** Called when its process says that Redis lacks what it had acknowledged. */
  readonly onDataLost: (reason: string) => void;
}

interface Ending {
  readonly kind: Crash['kind'];
  readonly error: ElderError;
  readonly uptime: number;
  /** Whether the next try may well end otherwise, such as when somebody killed the process. */
  readonly accidental: boolean;
}

const waitForRedisMs = 200;
/** How Redis says that it has no memory or no disk for a write now. */
const full = /^(OOM|MISCONF|NOREPLICAS) |save the ACLs/;
const monotonic = () => performance.now();

/** Keeps one elder alive: starts it, restarts it by the policy, and stops it. Its siblings never notice. */
export class ElderSupervisor {
  readonly name: string;
  readonly role: Role;
  readonly #options: ElderSupervisorOptions;
  readonly #policy: RestartPolicy;
  readonly #stopping = new AbortController();
  readonly #firstReady = Promise.withResolvers<void>();
  #status: ElderStatus;
  #process: RunningProcess | null = null;
  #life: Life | null = null;
  #running: Promise<void> | null = null;
  /** While set, a start that fails by itself ends the supervision instead of being tried again. */
  #strict = false;

  constructor(options: ElderSupervisorOptions) {
    const { spec, port, limits, history } = options;
    this.name = spec.name;
    this.role = spec.role;
    this.#options = options;
    this.#policy = new RestartPolicy({ limits, random: Math.random, crashes: history.crashes });
    this.#firstReady.promise.catch(() => undefined);
    this.#status = { ...elderBeforeStart(spec, port - spec.portOffset), restarts: history.restarts };
  }

  get status(): ElderStatus {
    return this.#status;
  }

  /** Resolves when it is ready for the first time; rejects when it cannot be started. */
  get ready(): Promise<void> {
    return this.#firstReady.promise;
  }

  /** Starts it. `strict`: when it ends or fails by itself before it was ready, it is not tried again. */
  start(options: { strict: boolean }): void {
    this.#strict = options.strict;
    this.#running ??= this.#supervise(null);
  }

  /** Looks after a process that runs already. */
  adopt(process: RunningProcess): void {
    this.#running ??= this.#supervise(process);
  }

  /** Ends it: `drain` lets it finish within the shutdown time, `kill` does not. May be called again to kill. */
  async stop(mode: 'drain' | 'kill'): Promise<void> {
    this.#stopping.abort(new ElderError('interrupted', `${this.name} is being stopped`));
    const process = this.#process;
    if (process !== null) {
      this.#update({ state: 'draining', reason: null });
      process.kill(mode === 'drain' ? 'SIGTERM' : 'SIGKILL');
      const timer = setTimeout(() => process.kill('SIGKILL'), this.#options.limits.shutdown);
      await process.exited;
      clearTimeout(timer);
    }
    await this.#running;
    this.#firstReady.reject(this.#stopping.signal.reason);
    this.#update({ state: 'stopped', reason: null, pid: null });
  }

  /** Ends its process, if one runs that has loaded its state, because Redis no longer holds that; a successor starts from what Redis has. */
  replaceAfterLoss(reason: string): void {
    if (this.#life?.reported) this.#condemn(this.#life, 'data_lost', reason);
  }

  async #supervise(adopted: RunningProcess | null): Promise<void> {
    let process = adopted;
    for (;;) {
      const ending = await this.#liveOnce(process);
      process = null;
      if (this.#stopping.signal.aborted) return;
      if (this.#strict && !ending.accidental) return this.#giveUp(ending.error);
      const decision = this.#policy.crashed(Date.now(), ending.uptime);
      const restarts = this.#status.restarts + (decision.kind === 'restart' ? 1 : 0);
      const history = { restarts, crashes: [...this.#policy.crashes] };
      this.#options.onCrash({ name: this.name, kind: ending.kind, reason: ending.error.reason }, history);
      if (decision.kind === 'give_up') {
        const { intensity, period } = this.#options.limits;
        const reason = `${this.name} crashed more than ${intensity} times in ${period} ms: ${ending.error.reason}`;
        this.#options.onCrash({ name: this.name, kind: 'given_up', reason }, history);
        return this.#giveUp(new ElderError('start_failed', reason));
      }
      this.#options.onEvent('stopped', this.name, ending.error);
      this.#update({ state: 'backoff', restarts, reason: ending.error.reason, pid: null });
      const { signal } = this.#stopping;
      await delay(decision.delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  #giveUp(error: ElderError): void {
    this.#update({ state: 'failed', reason: error.reason, pid: null });
    this.#options.onEvent('failed', this.name, error);
    this.#firstReady.reject(error);
  }

  /** One life of the process, from its start to its end. */
  async #liveOnce(adopted: RunningProcess | null): Promise<Ending> {
    const life = new Life();
    this.#life = life;
    const began = monotonic();
    try {
      if (adopted === null) {
        this.#update({ state: 'starting', reason: null, pid: null });
        this.#options.onEvent('starting', this.name);
      } else {
        this.#options.onEvent('adopted', this.name);
      }
      life.cleanup.push(this.#limitStart(life));
      const process = adopted ?? (await this.#launch(life));
      this.#process = process;
      // A stop that was asked for while the process was being launched found nothing to signal; there is
      // nothing to drain in it either.
      if (adopted === null && this.#stopping.signal.aborted) process.kill('SIGKILL');
      const { identity, incarnation, startedAt } = process;
      this.#update({ pid: identity.pid, incarnation, startedAt, ...(adopted ? { state: 'unready' } : {}) });
      life.watch = () => {
        const monitor = this.#options.monitor(process, {
          onAnswer: (health) => this.#heard(life, health.ready ? null : health.reason),
          onHanging: (reason) => this.#condemn(life, 'hang', `${this.name} hangs: ${reason}`),
        });
        life.cleanup.push(() => monitor.stop());
      };
      if (adopted !== null || life.reported) life.startWatching();
      return this.#endingOf(await process.exited, life);
    } catch (thrown) {
      const error = asElderError(thrown);
      return {
        kind: 'start',
        error: life.cause === null ? error : new ElderError('start_failed', life.cause.reason),
        uptime: monotonic() - began,
        accidental: wasKilled(error) && life.cause === null,
      };
    } finally {
      this.#process = null;
      life.ended = true;
      for (const clean of life.cleanup) clean();
    }
  }

  async #launch(life: Life): Promise<RunningProcess> {
    const signal = AbortSignal.any([this.#stopping.signal, life.tooLong.signal]);
    for (;;) {
      await this.#options.redis.whenReady(signal);
      try {
        const process = await this.#options.launch({
          restarts: this.#status.restarts,
          onReport: (report) => this.#reported(life, report),
          signal,
        });
        life.waitsForRedis = false;
        return process;
      } catch (error) {
        // Redis went away between the two steps, or is full. That is nobody's crash: wait and begin again.
        const { code, reason } = asElderError(error);
        if (code !== 'redis_unreachable' && !(code === 'redis_refused' && full.test(reason))) throw error;
        life.waitsForRedis = true;
        this.#update({ reason });
        await delay(waitForRedisMs, undefined, { signal });
      }
    }
  }

  #limitStart(life: Life): () => void {
    const { startTimeout } = this.#options.limits;
    return runningTimeout({
      ms: startTimeout,
      now: monotonic,
      paused: () => life.waitsForRedis || !this.#options.redis.ready,
      onExpired: () => {
        if (life.wasReady) return;
        const reason = `${this.name} was not ready within ${startTimeout} ms`;
        this.#condemn(life, 'start', reason);
        life.tooLong.abort(new ElderError('start_failed', reason));
      },
    });
  }

  #reported(life: Life, report: Report): void {
    // What a process said just before its end may be read after it.
    if (life.ended) return;
    if (report.kind === 'data_lost') {
      this.#options.onDataLost(report.reason);
      return;
    }
    if (report.kind === 'failed') {
      const kind = report.error.code === 'data_lost' ? 'data_lost' : 'start';
      life.cause ??= { kind, reason: `${this.name}: ${report.error.code}: ${report.error.reason}` };
      life.error = new ElderError(report.error.code, report.error.reason);
      this.#process?.kill('SIGTERM');
      return;
    }
    this.#heard(life, report.kind === 'ready' ? null : report.reason);
    life.startWatching();
  }

  /** `reason` is why the process is not ready; `null` when it is. */
  #heard(life: Life, reason: string | null): void {
    if (this.#stopping.signal.aborted || life.ended || life.cause !== null) return;
    this.#update({ state: reason === null ? 'ready' : 'unready', reason });
    if (reason !== null || life.wasReady) return;
    life.wasReady = true;
    this.#strict = false;
    this.#options.onEvent('ready', this.name);
    this.#firstReady.resolve();
  }

  #condemn(life: Life, kind: Crash['kind'], reason: string): void {
    life.cause ??= { kind, reason };
    this.#process?.kill('SIGKILL');
  }

  #endingOf(exit: ProcessExit, life: Life): Ending {
    const how = describeExit(exit);
    const { cause } = life;
    const reason = cause === null ? `${this.name} ${how}` : `${cause.reason} (${how})`;
    return {
      kind: cause?.kind ?? 'exit',
      error: life.error ?? new ElderError('start_failed', reason),
      uptime: Date.now() - (this.#status.startedAt ?? Date.now()),
      accidental: cause === null && exit.code === null,
    };
  }

  #update(change: Partial<ElderStatus>): void {
    const next = { ...this.#status, ...change };
    const changed = Object.entries(change).some(
      ([key, value]) => this.#status[key as keyof ElderStatus] !== value,
    );
    this.#status = next;
    if (changed) this.#options.onChange(next);
  }
}

/** What belongs to one life of the process and ends with it. */
class Life {
  readonly cleanup: (() => void)[] = [];
  readonly tooLong = new AbortController();
  /** Why it is being ended before its time. */
  cause: { readonly kind: Crash['kind']; readonly reason: string } | null = null;
  wasReady = false;
  reported = false;
  /** While set, the time for its start does not run. */
  waitsForRedis = false;
  ended = false;
  error: ElderError | null = null;
  watch: (() => void) | null = null;

  /** Begins to watch, once: when the process has said for the first time that it serves. */
  startWatching(): void {
    this.reported = true;
    const { watch } = this;
    this.watch = null;
    watch?.();
  }
}

function wasKilled(error: ElderError): boolean {
  const detail = error.detail as { exit?: ProcessExit } | undefined;
  return detail?.exit?.signal != null;
}
