import type { EdgeKey } from '../../protocol/keys.ts';
import type { Entry } from '../broker.ts';
import type { RedisConnection, RedisConnectionOptions } from './redis-connection.ts';

/** See `trustMs`. */
const usualTrustMs = 1_000;
/** Messages per second above which most reads find something in many edges, and wake-ups cost more than they save. */
const busyRate = 2_000;
const rateWindowMs = 250;

/** A read of edges as it was when it was sent. */
export interface SentRead {
  readonly cursors: ReadonlyMap<EdgeKey, string>;
  /** At most so many stream entries of each. */
  readonly entries: number;
  /** Whether it names every edge that is wanted. */
  readonly isFull: boolean;
  readonly moment: number;
  readonly connection: number;
}

interface Edge {
  /** The cursor behind which nothing stood; `null` when that is not known. */
  drained: string | null;
  /** The last wake-up that named it. */
  named: number;
}

/**
 * Knows which of many edges have nothing to read, so that a read need not name them: naming hundreds costs more
 * than what they bring. Writers say by Pub/Sub which edges have something new. None of that is relied on for longer
 * than a second after a read that named all edges, nor unless wake-ups arrive: lost ones delay, and lose nothing.
 * Under load it does not listen.
 */
export class WakeUps {
  readonly #channel: string;
  readonly #trustMs: number;
  readonly #connection: RedisConnection;
  /** Those that were read: what a writer names besides is nothing to remember. */
  readonly #edges = new Map<EdgeKey, Edge>();
  /** Counts the wake-ups. */
  #moment = 0;
  /** Counts the connections: what came while there was none was not heard. */
  #connections = 0;
  #heardAt = -Infinity;
  #fullAt = -Infinity;
  /** `null` while Redis has not said yet that it is so. */
  #listens: boolean | null = true;
  /** Messages found since a time, from which the rate is known. */
  #rate = { since: -Infinity, count: 0 };
  #wake: () => void = () => {};

  /**
   * Begins to listen; `connect` makes the connection. What was learned from a read of all edges holds for `trustMs`,
   * and so does what was heard show that wake-ups arrive.
   */
  constructor(options: {
    channel: string;
    connect: (rest: Pick<RedisConnectionOptions, 'onState' | 'subscription'>) => RedisConnection;
    trustMs?: number | undefined;
  }) {
    const { channel, connect, trustMs = usualTrustMs } = options;
    this.#channel = channel;
    this.#trustMs = trustMs;
    this.#connection = connect({
      onState: () => {
        // A new connection listens.
        this.#listens = true;
        this.#forget();
      },
      subscription: { channel, listener: (text) => this.#hear(text) },
    });
  }

  /** How long (ms) a read may leave out what is drained; 0 when the next one has to name every edge. */
  get restMs(): number {
    const now = performance.now();
    this.#listenAsIsDue(now);
    const since = Math.min(this.#heardAt, this.#fullAt);
    const isTold = this.#listens === true && this.#connection.connected;
    return isTold ? Math.max(0, Math.ceil(since + this.#trustMs - now)) : 0;
  }

  /** Leaves out the edges that are drained. */
  undrained(cursors: ReadonlyMap<EdgeKey, string>): Map<EdgeKey, string> {
    const left = new Map<EdgeKey, string>();
    for (const [edge, cursor] of cursors) {
      if (this.#edges.get(edge)?.drained !== cursor) left.set(edge, cursor);
    }
    return left;
  }

  /** Resolves when an edge is named, when this cannot be relied on any more, or after `ms`. */
  async wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }

  /** Ends a wait. */
  wake(): void {
    this.#wake();
  }

  /** Notes that a read is sent. */
  sent(read: Pick<SentRead, 'cursors' | 'entries' | 'isFull'>): SentRead {
    for (const edge of read.cursors.keys()) {
      if (!this.#edges.has(edge)) this.#edges.set(edge, { drained: null, named: 0 });
    }
    return { ...read, moment: this.#moment, connection: this.#connections };
  }

  /** Notes what a read found. */
  found(read: SentRead, entries: readonly Entry[]): void {
    this.#rate.count += entries.length;
    if (read.connection !== this.#connections) return;
    if (read.isFull) this.#fullAt = performance.now();
    const ends = new Map<EdgeKey, { count: number; id: string }>();
    for (const { edge, id } of entries) ends.set(edge, { count: (ends.get(edge)?.count ?? 0) + 1, id });
    for (const [key, cursor] of read.cursors) {
      const edge = this.#edges.get(key) as Edge;
      const end = ends.get(key);
      // What was named meanwhile may have been written before the read or after it.
      const isOver = (end?.count ?? 0) < read.entries && edge.named <= read.moment;
      edge.drained = isOver ? (end?.id ?? cursor) : null;
    }
  }

  /** Gives a connection that may be dead up, as others were found to be. */
  drop(): void {
    this.#connection.drop();
  }

  renew(): void {
    this.#connection.renew();
  }

  close(): void {
    this.#connection.close();
    this.#wake();
  }

  #forget(): void {
    this.#connections += 1;
    this.#fullAt = -Infinity;
    this.#wake();
  }

  #listenAsIsDue(now: number): void {
    const { since, count } = this.#rate;
    const ms = now - since;
    if (ms < rateWindowMs) return;
    this.#rate = { since: now, count: 0 };
    const listens = count * 1_000 < busyRate * ms;
    if (this.#listens === null || listens === this.#listens || !this.#connection.connected) return;
    this.#listens = null;
    this.#wake();
    const connections = this.#connections;
    this.#connection.command([listens ? 'SUBSCRIBE' : 'UNSUBSCRIBE', this.#channel]).then(
      () => {
        if (connections !== this.#connections) return;
        this.#listens = listens;
        // What was read before it listened may have been followed by more.
        this.#forget();
      },
      () => this.#connection.drop(),
    );
  }

  #hear(text: string): void {
    this.#moment += 1;
    this.#heardAt = performance.now();
    for (const key of text.split(' ') as EdgeKey[]) {
      const edge = this.#edges.get(key);
      if (!edge) continue;
      edge.drained = null;
      edge.named = this.#moment;
    }
    this.#wake();
  }
}
