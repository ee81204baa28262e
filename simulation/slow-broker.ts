import type { Broker, Commit, CommitAnswer, Entry, Snapshot } from '../src/messaging/broker.ts';
import type { Clock } from '../src/messaging/clock.ts';
import type { EdgeKey } from '../src/protocol/keys.ts';

/** A broker whose answers take their time on the way back, so that their receiver may die meanwhile. */
export class SlowBroker implements Broker {
  readonly #inner: Broker;
  readonly #clock: Clock;
  readonly #delay: () => number;

  constructor(inner: Broker, clock: Clock, delay: () => number) {
    this.#inner = inner;
    this.#clock = clock;
    this.#delay = delay;
  }

  load(): Promise<Snapshot> {
    return this.#answer(this.#inner.load());
  }

  read(
    cursors: ReadonlyMap<EdgeKey, string>,
    options: { count: number; waitMs: number; signal?: AbortSignal },
  ): Promise<Entry[]> {
    return this.#answer(this.#inner.read(cursors, options));
  }

  commit(commit: Commit): Promise<CommitAnswer> {
    return this.#answer(this.#inner.commit(commit));
  }

  publish(event: string): void {
    this.#inner.publish(event);
  }

  subscribe(listener: (event: string) => void): Promise<() => Promise<void>> {
    return this.#inner.subscribe(listener);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #answer<Result>(operation: Promise<Result>): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const later = (settle: () => void) => void this.#clock.setTimer(this.#delay(), settle);
    operation.then(
      (result) => later(() => resolve(result)),
      (error) => later(() => reject(error)),
    );
    return promise;
  }
}
