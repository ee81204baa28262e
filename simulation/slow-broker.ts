import type { Broker, Commit, CommitAnswer, Entry, Snapshot } from '../src/messaging/broker.ts';
import type { Clock } from '../src/messaging/clock.ts';
import { ElderError } from '../src/protocol/errors.ts';
import type { EdgeKey } from '../src/protocol/keys.ts';
import type { DurableStore } from './durable-store.ts';

/**
 * A broker whose answers leave the store when what they tell of is durable, and take their time on the way back,
 * so that their receiver may die meanwhile.
 */
export class SlowBroker implements Broker {
  readonly #inner: Broker;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #store: DurableStore;
  readonly #delay: () => number;
  readonly #onLost: (number: number) => void;

  constructor(options: {
    inner: Broker;
    name: string;
    clock: Clock;
    store: DurableStore;
    delay: () => number;
    /** Told of a commit that was acknowledged and is lost. */
    onLost: (number: number) => void;
  }) {
    this.#inner = options.inner;
    this.#name = options.name;
    this.#clock = options.clock;
    this.#store = options.store;
    this.#delay = options.delay;
    this.#onLost = options.onLost;
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

  async commit(commit: Commit): Promise<CommitAnswer> {
    const { number } = commit;
    const answer = await this.#answer(this.#inner.commit(commit));
    const hasLanded = answer.kind === 'ok' || (answer.kind === 'stale' && answer.number === number);
    // The answer may have been on its way when the power went.
    if (hasLanded && !this.#store.acknowledge(this.#name, number)) this.#onLost(number);
    return answer;
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
    const lost = () => later(() => reject(new ElderError('redis_unreachable', 'the store lost its power')));
    operation.then(
      (result) => this.#store.answer(() => later(() => resolve(result)), lost),
      (error) => later(() => reject(error)),
    );
    return promise;
  }
}
