import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../protocol/config.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import type { ManagerEvent } from '../../protocol/local-api.ts';
import type { ProcessRecord } from '../../protocol/process.ts';
import { describeExit, type RunningProcess } from '../elders/running-process.ts';
import type { Crash } from '../restarts/crash.ts';
import type { CrashHistory } from '../restarts/crash-memory.ts';
import { RestartPolicy } from '../restarts/restart-policy.ts';
import type { ManagedRedis } from './redis-server.ts';

interface RedisLifeOptions {
  readonly redis: ManagedRedis;
  readonly history: CrashHistory;
  /** A live view. */
  readonly config: Config;
  readonly onEvent: (kind: ManagerEvent['kind'], name: string, error?: ElderError) => void;
  readonly onCrash: (crash: Crash, history: CrashHistory) => void;
  /** Told that its process has ended. */
  readonly onDown: () => void;
  /** Told why there is none now. */
  readonly onAway: (reason: string) => void;
  /** Told that there is another process. */
  readonly onUp: () => void;
  /** Told that something of it is another than before. */
  readonly onChange: () => void;
}

const name = 'redis';

/** The process of a managed Redis: started or taken over, and started again for ever, since the tree is nothing without it. */
export class RedisLife {
  readonly #options: RedisLifeOptions;
  readonly #policy: RestartPolicy;
  readonly #stopping = new AbortController();
  #process: RunningProcess | null = null;
  #living: Promise<void> = Promise.resolve();
  #restarts: number;
  /** Why the process is being ended, where that is done on purpose. */
  #ending: string | null = null;

  constructor(options: RedisLifeOptions) {
    this.#options = options;
    const { config, history } = options;
    const limits = config.supervision;
    this.#restarts = history.restarts;
    this.#policy = new RestartPolicy({ limits, random: Math.random, crashes: history.crashes });
  }

  get pid(): number | null {
    return this.#process?.identity.pid ?? null;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Resolves when its process has ended and no other follows. */
  get ended(): Promise<void> {
    return this.#living;
  }

  /**
   * Takes over the process of the record, or starts one; `expectEnded`: it has ended by itself if it is gone. Throws what hinders
   * that.
   */
  async begin(
    record: ProcessRecord | undefined,
    { signal, expectEnded }: { signal: AbortSignal; expectEnded: boolean },
  ): Promise<void> {
    const { redis, onEvent } = this.#options;
    const adopted = record === undefined ? null : await redis.adopt(record);
    if (adopted !== null) onEvent('adopted', name);
    this.#restarts = Math.max(this.#restarts, record?.restarts ?? 0);
    if (adopted === null && record !== undefined && !expectEnded) this.#restarts += 1;
    this.#process = adopted ?? (await redis.start({ restarts: this.#restarts, signal }));
    this.#living = this.#live(this.#process);
  }

  /** Ends its process for this reason; another follows. */
  renew(reason: string, signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#ending = reason;
    this.#process?.kill(signal);
  }

  /** Starts no other process from now on. */
  abandon(): void {
    this.#stopping.abort(new ElderError('interrupted', 'Redis is being stopped'));
  }

  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  async #live(first: RunningProcess): Promise<void> {
    const { onDown, onUp, onChange } = this.#options;
    const { signal } = this.#stopping;
    for (let process: RunningProcess | null = first; process !== null; ) {
      const exit = await process.exited;
      this.#process = null;
      onDown();
      const reason = this.#ending ?? `redis-server ${describeExit(exit)}`;
      this.#ending = null;
      const error = new ElderError('redis_unreachable', reason);
      process = signal.aborted ? null : await this.#restart(error, Date.now() - process.startedAt);
      this.#process = process;
      if (process !== null) onUp();
      onChange();
    }
  }

  /** Tries until one runs. Resolves to `null` when it is stopped meanwhile. */
  async #restart(ending: ElderError, uptimeMs: number): Promise<RunningProcess | null> {
    const { redis, config, onCrash, onEvent, onAway } = this.#options;
    const { signal } = this.#stopping;
    let error = ending;
    let uptime = uptimeMs;
    while (!signal.aborted) {
      const decision = this.#policy.crashed(Date.now(), uptime);
      this.#restarts += 1;
      const history = { restarts: this.#restarts, crashes: [...this.#policy.crashes] };
      onCrash({ name, kind: 'exit', reason: error.reason }, history);
      if (decision.kind === 'give_up') onEvent('failed', name, error);
      else onEvent('stopped', name, error);
      onAway(error.reason);
      try {
        const delayMs = decision.kind === 'restart' ? decision.delayMs : config.supervision.backoffMax;
        await delay(delayMs, undefined, { signal });
        onEvent('starting', name);
        const started = await redis.start({ restarts: this.#restarts, signal });
        onEvent('ready', name);
        return started;
      } catch (thrown) {
        error = asElderError(thrown);
        uptime = 0;
      }
    }
    return null;
  }
}
