import type { RedisEndpoint } from '../../protocol/bootstrap.ts';
import { ElderError } from '../../protocol/errors.ts';
import { type EdgeKey, treeKeys } from '../../protocol/keys.ts';
import type { Broker, Commit, CommitAnswer, Entry, ReadOptions, Snapshot } from '../broker.ts';
import { isReservedField } from '../reserved-fields.ts';
import { commitCall } from './commit-library.ts';
import { EdgeLines } from './edge-lines.ts';
import { RedisConnection, type RedisConnectionOptions, type RedisTls } from './redis-connection.ts';
import { decodeCommitAnswer, decodeHash, decodeSnapshot } from './replies.ts';
import { decodeMarks, encodePosition, type Marks, noteMark } from './retained.ts';

export interface RedisBrokerOptions {
  readonly tree: string;
  readonly name: string;
  readonly incarnation: number;
  readonly endpoint: RedisEndpoint;
  readonly credential: RedisConnectionOptions['credential'];
  /** Asked for each new connection, so that renewed certificates are used. */
  readonly tls: () => RedisTls;
  /** Unhandled messages that an edge may hold. */
  readonly edgeLimit: number;
  /** Handled messages that an edge keeps for `trace`. */
  readonly retain: number;
  /** Connections older than about this many ms are replaced, without a gap; never when left out. */
  readonly connectionAgeMs?: number;
  /** For a test in which lost wake-ups lose something: how long (ms) they are relied on. */
  readonly wakeUpTrustMs?: number;
  /** Told whenever the connections are complete, or no longer. */
  readonly onConnection?: (connected: boolean, error?: ElderError) => void;
  readonly onClosed?: () => void;
}

/**
 * The broker of one incarnation on Redis. It keeps a connection that blocks in reading, another for urgent
 * reads once there are any, and one for the rest, and makes them again when they are lost; meanwhile methods wait up to 2 s and then reject with
 * `redis_unreachable`. Nothing is ever sent twice by itself.
 */
export class RedisBroker implements Broker {
  readonly #options: RedisBrokerOptions;
  readonly #keys: ReturnType<typeof treeKeys>;
  readonly #writer: RedisConnection;
  readonly #lines: EdgeLines;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(event: string) => void>();
  #subscriber: RedisConnection | null = null;
  readonly #marks = new Map<EdgeKey, Marks>();
  #connected = false;

  constructor(options: RedisBrokerOptions) {
    this.#options = options;
    this.#keys = treeKeys(options.tree);
    const onState = (_: boolean, error?: ElderError) => this.#onState(error);
    this.#writer = this.#connect({ onState });
    this.#lines = new EdgeLines({
      keys: this.#keys,
      name: options.name,
      writer: this.#writer,
      connect: (rest) => this.#connect(rest),
      onState,
      closing: this.#closing.signal,
      wakeUpTrustMs: options.wakeUpTrustMs,
    });
  }

  async load(): Promise<Snapshot> {
    const { name } = this.#options;
    // No other incarnation can write between the two: its user is gone before this one's is made.
    const [state, positions] = await Promise.all([
      this.#writer.command(['HGETALL', this.#keys.state(name)]),
      this.#writer.command(['HGETALL', this.#keys.positions(name)]),
    ]);
    const snapshot = decodeSnapshot(state, positions);
    for (const [edge, text] of decodeHash(positions)) this.#marks.set(edge as EdgeKey, decodeMarks(text));
    return snapshot;
  }

  read(cursors: ReadonlyMap<EdgeKey, string>, options: ReadOptions): Promise<Entry[]> {
    return this.#lines.read(cursors, options);
  }

  async commit(commit: Commit): Promise<CommitAnswer> {
    for (const field of [...commit.set.keys(), ...commit.remove]) {
      if (isReservedField(field)) throw new ElderError('internal', `state field ${field} is reserved`);
    }
    const { name, incarnation, edgeLimit, retain } = this.#options;
    const positions = [...commit.positions].map(([edge, position]) => {
      const marks = noteMark(this.#marks.get(edge) ?? [], position, retain);
      this.#marks.set(edge, marks);
      return [edge, encodePosition(position, marks)] as const;
    });
    const call = commitCall({ keys: this.#keys, name, incarnation, edgeLimit, retain, commit, positions });
    return decodeCommitAnswer(await this.#writer.command(call.args), call.edges);
  }

  publish(event: string): void {
    if (!this.#writer.connected) return;
    this.#writer.command(['PUBLISH', this.#keys.events, event]).catch(() => undefined);
  }

  async subscribe(listener: (event: string) => void): Promise<() => Promise<void>> {
    // Wrapped, so that the same function given twice counts as two.
    const own = (event: string) => listener(event);
    this.#listeners.add(own);
    try {
      await this.#openSubscriber();
    } catch (error) {
      this.#dropListener(own);
      throw error;
    }
    return async () => this.#dropListener(own);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#writer.close();
    this.#lines.close();
    this.#subscriber?.close();
    this.#listeners.clear();
    this.#options.onClosed?.();
  }

  /** Has every connection replaced by one that shows the present certificate; nothing is lost by it. */
  renewConnections(): void {
    for (const connections of [this.#writer, this.#lines, this.#subscriber]) connections?.renew();
  }

  #connect(
    rest: Pick<RedisConnectionOptions, 'onState' | 'subscription' | 'longestBackoffMs'>,
  ): RedisConnection {
    const { tree, endpoint, credential, tls, connectionAgeMs: maxAgeMs } = this.#options;
    const age = maxAgeMs === undefined ? {} : { maxAgeMs };
    return new RedisConnection({ tree, endpoint, credential, tls, ...age, ...rest });
  }

  #onState(error: ElderError | undefined): void {
    const connected = this.#writer.connected && this.#lines.connected;
    if (connected === this.#connected || this.#closing.signal.aborted) return;
    this.#connected = connected;
    // It sends nothing by which it would notice a dead connection; what broke the others broke it too.
    if (!connected) {
      this.#subscriber?.drop();
      this.#lines.drop();
    }
    this.#options.onConnection?.(connected, error);
  }

  /** Opens the third connection with the first listener. */
  async #openSubscriber(): Promise<void> {
    const listener = (event: string) => {
      for (const each of this.#listeners) each(event);
    };
    const subscription = { channel: this.#keys.events, listener };
    this.#subscriber ??= this.#connect({ subscription });
    await this.#subscriber.command(['PING']);
  }

  #dropListener(listener: (event: string) => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#subscriber?.close();
    this.#subscriber = null;
  }
}
