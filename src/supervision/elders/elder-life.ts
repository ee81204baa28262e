import { setTimeout as delay } from 'node:timers/promises';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import type { ElderStatus } from '../../protocol/process.ts';
import type { MonitorHandlers } from '../health/elder-monitor.ts';
import { runningTimeout } from '../health/running-timeout.ts';
import type { RedisGate } from '../redis/redis-gate.ts';
import type { CrashKind } from '../restarts/crash.ts';
import { describeExit, type ProcessExit, type RunningProcess } from './running-process.ts';
import type { Report } from './start-protocol.ts';

/** Makes one process of an elder and gives it its orders. */
export type LaunchElder = (options: {
  readonly restarts: number;
  readonly onReport: (report: Report) => void;
  readonly signal: AbortSignal;
}) => Promise<RunningProcess>;

interface ElderLifeOptions {
  readonly name: string;
  readonly restarts: number;
  /** Ms in which it must be ready. */
  readonly startTimeout: number;
  /** Ms that it may drain before it is killed. */
  readonly shutdown: number;
  readonly redis: RedisGate;
  readonly launch: LaunchElder;
  /** Watches the process until `stop` is called. */
  readonly monitor: (process: RunningProcess, handlers: MonitorHandlers) => { stop(): void };
  readonly onUpdate: (change: Partial<ElderStatus>) => void;
  /** Called when it is ready for the first time. */
  readonly onReady: () => void;
  /** Called when its process says that Redis lacks what it had acknowledged. */
  readonly onDataLost: (reason: string) => void;
}

/** How a life ended. */
export interface Ending {
  readonly kind: CrashKind;
  readonly error: ElderError;
  /** Ms. */
  readonly uptime: number;
  /** Whether the next try may well end otherwise, such as when somebody killed the process. */
  readonly accidental: boolean;
  /** Whether it ended by itself and in order. */
  readonly normal: boolean;
}

const waitForRedisMs = 200;
/** How Redis says that it has no memory or no disk for a write now. */
const full = /^(OOM|MISCONF|NOREPLICAS) |save the ACLs/;
const monotonic = () => performance.now();

/** One life of the process of an elder, from its start, or its adoption, to its end. */
export class ElderLife {
  readonly #options: ElderLifeOptions;
  readonly #stopping = new AbortController();
  readonly #tooLong = new AbortController();
  readonly #cleanup: (() => void)[] = [];
  #process: RunningProcess | null = null;
  /** Why it is being ended before its time. */
  #cause: { readonly kind: CrashKind; readonly reason: string } | null = null;
  #error: ElderError | null = null;
  readonly #early: Report[] = [];
  #wasReady = false;
  #reported = false;
  #ended = false;
  /** While set, the time for its start does not run. */
  #waitsForRedis = false;
  #endStartLimit: () => void = () => {};
  /** Set once it has a process. */
  #watch: (() => void) | null = null;
  #watching: { stop(): void } | null = null;

  constructor(options: ElderLifeOptions) {
    this.#options = options;
  }

  /** Lives it: with a process that runs already, or one that it launches. Resolves when that is gone; never rejects. */
  async run(adopted: RunningProcess | null): Promise<Ending> {
    const { onUpdate, monitor } = this.#options;
    const began = monotonic();
    try {
      this.#endStartLimit = this.#limitStart();
      this.#cleanup.push(this.#endStartLimit);
      const process = adopted ?? (await this.#launch());
      this.#process = process;
      // A stop that was asked for while the process was being launched found nothing to signal; there is
      // nothing to drain in it either.
      if (adopted === null && this.#stopping.signal.aborted) process.kill('SIGKILL');
      const { identity, incarnation, startedAt } = process;
      onUpdate({ pid: identity.pid, incarnation, startedAt, ...(adopted ? { state: 'unready' } : {}) });
      this.#watch = () => {
        this.#watching = monitor(process, {
          onAnswer: (health) => this.#heard(health.ready ? null : health.reason),
          onHanging: (reason) => this.condemn('hang', `${this.#options.name} hangs: ${reason}`),
          onTooLarge: (reason) => this.#retire('memory', `${this.#options.name} ${reason}`),
        });
      };
      this.#cleanup.push(() => this.#watching?.stop());
      if (adopted !== null) this.#startWatching();
      for (const report of this.#early) this.#take(report);
      const exit = await process.exited;
      return this.#endingOf(exit, Date.now() - startedAt);
    } catch (thrown) {
      const telling = this.#early.filter(({ kind }) => kind === 'failed' || kind === 'data_lost');
      for (const report of telling) this.#take(report);
      const error = asElderError(thrown);
      const cause = this.#cause;
      return {
        kind: 'start',
        error: cause === null ? error : new ElderError('start_failed', cause.reason),
        uptime: monotonic() - began,
        accidental: wasKilled(error) && cause === null,
        normal: false,
      };
    } finally {
      this.#process = null;
      this.#ended = true;
      for (const clean of this.#cleanup) clean();
    }
  }

  /** Ends it because it is no longer wanted; resolves when the process, if there is one, is gone. May be called again to kill. */
  async stop(mode: 'drain' | 'kill'): Promise<void> {
    this.#stopping.abort(new ElderError('interrupted', `${this.#options.name} is being stopped`));
    const process = this.#process;
    if (process === null) return;
    this.#options.onUpdate({ state: 'draining', reason: null });
    await this.#end(process, mode);
  }

  /** Kills its process, because something is wrong with it. */
  condemn(kind: CrashKind, reason: string): void {
    this.#cause ??= { kind, reason };
    this.#process?.kill('SIGKILL');
  }

  /** Kills its process if that has loaded its state, because Redis no longer holds what it has. */
  replaceAfterLoss(reason: string): void {
    if (this.#reported) this.condemn('data_lost', reason);
  }

  /** Has its process watched by the present configuration. */
  watchAnew(): void {
    if (this.#watching === null || this.#ended) return;
    this.#watching.stop();
    this.#watch?.();
  }

  /** Drains it, because it still works, but shall not go on. */
  #retire(kind: CrashKind, reason: string): void {
    if (this.#process === null || this.#cause !== null) return;
    this.#cause = { kind, reason };
    this.#options.onUpdate({ state: 'draining', reason });
    void this.#end(this.#process, 'drain');
  }

  async #end(process: RunningProcess, mode: 'drain' | 'kill'): Promise<void> {
    process.kill(mode === 'drain' ? 'SIGTERM' : 'SIGKILL');
    const timer = setTimeout(() => process.kill('SIGKILL'), this.#options.shutdown);
    await process.exited;
    clearTimeout(timer);
  }

  async #launch(): Promise<RunningProcess> {
    const { redis, launch, restarts, onUpdate } = this.#options;
    const signal = AbortSignal.any([this.#stopping.signal, this.#tooLong.signal]);
    for (;;) {
      await redis.whenReady(signal);
      try {
        const process = await launch({ restarts, onReport: (report) => this.#hear(report), signal });
        this.#waitsForRedis = false;
        return process;
      } catch (error) {
        // Redis went away between the two steps, or is full. That is nobody's crash: wait and begin again.
        const { code, reason } = asElderError(error);
        if (code !== 'redis_unreachable' && !(code === 'redis_refused' && full.test(reason))) throw error;
        this.#waitsForRedis = true;
        onUpdate({ reason });
        await delay(waitForRedisMs, undefined, { signal });
      }
    }
  }

  #limitStart(): () => void {
    const { startTimeout, name, redis } = this.#options;
    return runningTimeout({
      ms: startTimeout,
      now: monotonic,
      paused: () => this.#waitsForRedis || !redis.ready,
      onExpired: () => {
        const reason = `${name} was not ready within ${startTimeout} ms`;
        this.condemn('start', reason);
        this.#tooLong.abort(new ElderError('start_failed', reason));
      },
    });
  }

  #hear(report: Report): void {
    // What a process said just before its end may be read after it.
    if (this.#ended) return;
    // A quick one may say that it is ready before it is known which process that is.
    if (this.#process === null) this.#early.push(report);
    else this.#take(report);
  }

  #take(report: Report): void {
    if (report.kind === 'data_lost') {
      this.#options.onDataLost(report.reason);
      return;
    }
    if (report.kind === 'failed') {
      const { code, reason } = report.error;
      const kind = code === 'data_lost' ? 'data_lost' : 'start';
      this.#cause ??= { kind, reason: `${this.#options.name}: ${code}: ${reason}` };
      this.#error = new ElderError(code, reason);
      this.#process?.kill('SIGTERM');
      return;
    }
    this.#heard(report.kind === 'ready' ? null : report.reason);
    this.#startWatching();
  }

  /** `reason` is why the process is not ready; `null` when it is. */
  #heard(reason: string | null): void {
    if (this.#stopping.signal.aborted || this.#ended || this.#cause !== null) return;
    this.#options.onUpdate({ state: reason === null ? 'ready' : 'unready', reason });
    if (reason !== null || this.#wasReady) return;
    this.#wasReady = true;
    this.#endStartLimit();
    this.#options.onReady();
  }

  /** Begins to watch, once: when the process has said for the first time that it serves. */
  #startWatching(): void {
    this.#reported = true;
    if (this.#watching === null) this.#watch?.();
  }

  #endingOf(exit: ProcessExit, uptime: number): Ending {
    const cause = this.#cause;
    const how = `${this.#options.name} ${describeExit(exit)}`;
    const reason = cause === null ? how : `${cause.reason} (${describeExit(exit)})`;
    return {
      kind: cause?.kind ?? 'exit',
      error: this.#error ?? new ElderError('start_failed', reason),
      uptime,
      accidental: cause === null && exit.code === null,
      normal: cause === null && exit.code === 0,
    };
  }
}

function wasKilled(error: ElderError): boolean {
  const detail = error.detail as { exit?: ProcessExit } | undefined;
  return detail?.exit?.signal != null;
}
