import { ElderError } from '../../protocol/errors.ts';
import type { EdgeKey } from '../../protocol/keys.ts';
import type { Broker, Commit, CommitAnswer, Entry, ReadOptions, Snapshot } from '../broker.ts';
import type { Clock } from '../clock.ts';
import { isReservedField } from '../reserved-fields.ts';
import type { MemoryStore } from './memory-store.ts';

/**
 * What may go wrong with one operation. `lost_request`: it is not carried out and its caller gets
 * `redis_unreachable`. `lost_answer`: it is carried out and its caller gets `redis_unreachable`. `no_answer`:
 * it is carried out and its caller never hears of it, as when it died meanwhile.
 */
export type Fault = 'lost_request' | 'lost_answer' | 'no_answer';

/**
 * Decides when an operation takes place: now, later, or never (the caller has crashed). `operation` is
 * `load`, `read`, `commit`, `rest of commit` (with the atomic commit switched off), `publish` or `subscribe`.
 */
export type Schedule = (operation: string, run: (fault?: Fault) => void) => void;

const nothing: Entry[] = [];

/** The broker of one incarnation on a `MemoryStore`: same contract, no Redis. For tests and simulation only. */
export class MemoryBroker implements Broker {
  readonly #store: MemoryStore;
  readonly #name: string;
  readonly #incarnation: number;
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #stops = new Set<() => void>();
  readonly #unlisten = new Set<() => void>();
  #closed = false;

  constructor(options: {
    store: MemoryStore;
    name: string;
    incarnation: number;
    /** For the time limit of a waiting read. */
    clock: Clock;
    schedule?: Schedule;
  }) {
    this.#store = options.store;
    this.#name = options.name;
    this.#incarnation = options.incarnation;
    this.#clock = options.clock;
    this.#schedule = options.schedule ?? ((_operation, run) => queueMicrotask(() => run()));
  }

  load(): Promise<Snapshot> {
    return this.#perform('load', () => {
      this.#store.requireCurrent(this.#name, this.#incarnation);
      return this.#store.snapshot(this.#name);
    });
  }

  read(cursors: ReadonlyMap<EdgeKey, string>, options: ReadOptions): Promise<Entry[]> {
    const { count, waitMs, signal } = options;
    if (this.#closed || signal?.aborted) return Promise.resolve(nothing);
    const { promise, resolve, reject } = Promise.withResolvers<Entry[]>();
    const until = this.#clock.now() + waitMs;
    let cancelTimer = () => {};
    let stopWaiting = () => {};
    let finished = false;
    const stop = () => finish(() => resolve(nothing));
    const finish = (settle: () => void) => {
      finished = true;
      cancelTimer();
      stopWaiting();
      signal?.removeEventListener('abort', stop);
      this.#stops.delete(stop);
      settle();
    };
    signal?.addEventListener('abort', stop, { once: true });
    this.#stops.add(stop);
    const attempt = () =>
      this.#schedule('read', (fault) => {
        if (finished || fault === 'no_answer') return;
        if (fault) return finish(() => reject(this.#unreachable('read')));
        try {
          this.#store.requireCurrent(this.#name, this.#incarnation);
        } catch (error) {
          return finish(() => reject(error));
        }
        const entries = this.#store.entries(this.#name, cursors, count);
        if (entries.length > 0) return finish(() => resolve(entries));
        const restMs = until - this.#clock.now();
        if (restMs <= 0) return stop();
        cancelTimer();
        cancelTimer = this.#clock.setTimer(restMs, stop);
        stopWaiting = this.#store.awaitChange(this.#name, attempt);
      });
    attempt();
    return promise;
  }

  commit(commit: Commit): Promise<CommitAnswer> {
    for (const field of [...commit.set.keys(), ...commit.remove]) {
      if (!isReservedField(field)) continue;
      return Promise.reject(new ElderError('internal', `state field ${field} is reserved`));
    }
    const { guards } = this.#store;
    if (!guards.atomicCommit) return this.#commitInTwo(commit);
    return this.#perform('commit', () => {
      const refusal = this.#store.check(this.#name, this.#incarnation, commit);
      if (refusal) return refusal;
      this.#store.applyPositions(this.#name, commit);
      this.#store.applyRest(this.#name, this.#incarnation, commit);
      return { kind: 'ok' };
    });
  }

  publish(event: string): void {
    this.#schedule('publish', (fault) => {
      if (fault !== 'lost_request') this.#store.publish(event);
    });
  }

  subscribe(listener: (event: string) => void): Promise<() => Promise<void>> {
    return this.#perform('subscribe', () => {
      const unlisten = this.#store.listen(listener);
      this.#unlisten.add(unlisten);
      return async () => {
        this.#unlisten.delete(unlisten);
        unlisten();
      };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of [...this.#stops]) stop();
    for (const unlisten of this.#unlisten) unlisten();
  }

  /** What a broker without an atomic commit would do; a crash in between leaves half of it. */
  async #commitInTwo(commit: Commit): Promise<CommitAnswer> {
    const refusal = await this.#perform('commit', () => {
      const found = this.#store.check(this.#name, this.#incarnation, commit);
      if (!found) this.#store.applyPositions(this.#name, commit);
      return found;
    });
    if (refusal) return refusal;
    return this.#perform('rest of commit', () => {
      this.#store.applyRest(this.#name, this.#incarnation, commit);
      return { kind: 'ok' };
    });
  }

  #perform<Result>(operation: string, apply: () => Result): Promise<Result> {
    if (this.#closed) return Promise.reject(this.#unreachable(operation));
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#schedule(operation, (fault) => {
      if (fault === 'lost_request') return reject(this.#unreachable(operation));
      try {
        const result = apply();
        if (fault === 'lost_answer') reject(this.#unreachable(operation));
        else if (fault === undefined) resolve(result);
      } catch (error) {
        if (fault !== 'no_answer') reject(error);
      }
    });
    return promise;
  }

  #unreachable(operation: string): ElderError {
    return new ElderError('redis_unreachable', `${operation} of ${this.#name} got no answer`);
  }
}
