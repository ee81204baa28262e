import type { RedisEndpoint } from '../../protocol/bootstrap.ts';
import { ElderError } from '../../protocol/errors.ts';
import { type EdgeKey, splitEdgeKey, treeKeys } from '../../protocol/keys.ts';
import type { Broker, Commit, CommitAnswer, Entry, Snapshot } from '../broker.ts';
import { systemClock } from '../clock.ts';
import { isReservedField } from '../reserved-fields.ts';
import { commitCall } from './commit-library.ts';
import { RedisConnection, type RedisConnectionOptions, type RedisTls } from './redis-connection.ts';
import { decodeCommitAnswer, decodeEntries, decodeSnapshot } from './replies.ts';

export interface RedisBrokerOptions {
  readonly tree: string;
  readonly name: string;
  readonly incarnation: number;
  readonly endpoint: RedisEndpoint;
  readonly credential: { readonly username: string; readonly password: string };
  /** Asked for each new connection, so that renewed certificates are used. */
  readonly tls: () => RedisTls;
  /** Unhandled messages that an edge may hold. */
  readonly edgeLimit: number;
  /** Handled messages that an edge keeps for `trace`. */
  readonly retain: number;
  /** Connections older than about this many ms are replaced, without a gap; never when left out. */
  readonly connectionAgeMs?: number;
  /** Told whenever the connections are complete, or no longer. */
  readonly onConnection?: (connected: boolean, error?: ElderError) => void;
  readonly onClosed?: () => void;
}

/** How long one read blocks (ms), however long its caller waits: an answer is due at least this often. */
const longestBlockMs = 2_000;
/** A blocking read is given up this many ms after Redis should have answered it. */
const watchdogMs = 2_000;
const nothing: Entry[] = [];

interface PendingRead {
  readonly cursors: ReadonlyMap<EdgeKey, string>;
  readonly count: number;
  readonly entries: Promise<Entry[]>;
}

function asksTheSame(pending: PendingRead, cursors: ReadonlyMap<EdgeKey, string>, count: number): boolean {
  if (pending.count !== count || pending.cursors.size !== cursors.size) return false;
  return [...cursors].every(([edge, cursor]) => pending.cursors.get(edge) === cursor);
}

/**
 * The broker of one incarnation on Redis. It keeps two connections, one that blocks in reading and one for
 * the rest, and makes them again when they are lost; meanwhile methods wait up to 2 s and then reject with
 * `redis_unreachable`. Nothing is ever sent twice by itself.
 */
export class RedisBroker implements Broker {
  readonly #options: RedisBrokerOptions;
  readonly #keys: ReturnType<typeof treeKeys>;
  readonly #inbox: string;
  readonly #writer: RedisConnection;
  readonly #reader: RedisConnection;
  /** Names of the streams behind the edges; a reader of hundreds of edges needs all of them for every read. */
  readonly #streams = new Map<EdgeKey, string>();
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(event: string) => void>();
  #subscriber: RedisConnection | null = null;
  #connected = false;
  #pending: PendingRead | null = null;
  #writerProvenAt = 0;

  constructor(options: RedisBrokerOptions) {
    this.#options = options;
    this.#keys = treeKeys(options.tree);
    this.#inbox = this.#keys.inbox(options.name);
    const onState = (_: boolean, error?: ElderError) => this.#onState(error);
    this.#writer = this.#connect({ onState });
    this.#reader = this.#connect({ onState });
  }

  async load(): Promise<Snapshot> {
    const { name } = this.#options;
    // No other incarnation can write between the two: its user is gone before this one's is made.
    const [state, positions] = await Promise.all([
      this.#writer.command(['HGETALL', this.#keys.state(name)]),
      this.#writer.command(['HGETALL', this.#keys.positions(name)]),
    ]);
    return decodeSnapshot(state, positions);
  }

  async read(
    cursors: ReadonlyMap<EdgeKey, string>,
    options: { count: number; waitMs: number; signal?: AbortSignal },
  ): Promise<Entry[]> {
    const { count, waitMs, signal } = options;
    if (this.#stopped(signal)) return nothing;
    if (waitMs <= 0) {
      // Not on the reader's connection, where an aborted read may still block.
      const entries = cursors.size > 0 ? this.#ask(this.#writer, this.#readCommand(cursors, count)) : [];
      return this.#settle(entries, { signal });
    }
    const until = performance.now() + waitMs;
    for (;;) {
      const restMs = Math.ceil(until - performance.now());
      if (restMs <= 0 || this.#stopped(signal)) return nothing;
      const entries = await this.#wait(cursors, count, restMs, signal);
      if (entries.length > 0) return entries;
    }
  }

  async commit(commit: Commit): Promise<CommitAnswer> {
    for (const field of [...commit.set.keys(), ...commit.remove]) {
      if (isReservedField(field)) throw new ElderError('internal', `state field ${field} is reserved`);
    }
    const { name, incarnation, edgeLimit, retain } = this.#options;
    const call = commitCall({ keys: this.#keys, name, incarnation, edgeLimit, retain, commit });
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
    this.#reader.close();
    this.#subscriber?.close();
    this.#listeners.clear();
    this.#options.onClosed?.();
  }

  /** Has every connection replaced by one that shows the present certificate; nothing is lost by it. */
  renewConnections(): void {
    for (const connection of [this.#writer, this.#reader, this.#subscriber]) connection?.renew();
  }

  #connect(rest: Pick<RedisConnectionOptions, 'onState' | 'subscription'>): RedisConnection {
    const { tree, endpoint, credential, tls, connectionAgeMs: maxAgeMs } = this.#options;
    const age = maxAgeMs === undefined ? {} : { maxAgeMs };
    return new RedisConnection({ tree, endpoint, credential, tls, ...age, ...rest });
  }

  #onState(error: ElderError | undefined): void {
    const connected = this.#writer.connected && this.#reader.connected;
    if (connected === this.#connected || this.#closing.signal.aborted) return;
    this.#connected = connected;
    // It sends nothing by which it would notice a dead connection; what broke the others broke it too.
    if (!connected) this.#subscriber?.drop();
    this.#options.onConnection?.(connected, error);
  }

  #stopped(signal: AbortSignal | undefined): boolean {
    return this.#closing.signal.aborted || signal?.aborted === true;
  }

  #readCommand(cursors: ReadonlyMap<EdgeKey, string>, count: number, blockMs?: number): string[] {
    const block = blockMs === undefined ? [] : ['BLOCK', String(blockMs)];
    const streams = [...cursors.keys()].map((edge) => this.#streamOf(edge));
    return ['XREAD', 'COUNT', String(count), ...block, 'STREAMS', ...streams, ...cursors.values()];
  }

  #streamOf(edge: EdgeKey): string {
    const known = this.#streams.get(edge);
    if (known !== undefined) return known;
    const { source, lane } = splitEdgeKey(edge);
    const stream = this.#keys.edge(this.#options.name, source, lane);
    this.#streams.set(edge, stream);
    return stream;
  }

  #wait(
    cursors: ReadonlyMap<EdgeKey, string>,
    count: number,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Entry[]> {
    if (cursors.size === 0) return this.#settle(null, { signal, waitMs });
    // A read that was aborted still blocks its connection. One that asks the same takes it over, which loses
    // nothing since Redis keeps no trace of what was read; otherwise the connection has to be made anew.
    if (this.#pending && asksTheSame(this.#pending, cursors, count)) {
      return this.#settle(this.#pending.entries, { signal, waitMs });
    }
    if (this.#pending) this.#reader.drop();
    const blockMs = Math.min(waitMs, longestBlockMs);
    const command = this.#readCommand(cursors, count, blockMs);
    const entries = this.#ask(this.#reader, command, blockMs + watchdogMs);
    this.#proveWriter(blockMs + watchdogMs);
    const pending: PendingRead = { cursors, count, entries };
    this.#pending = pending;
    const done = () => {
      if (this.#pending === pending) this.#pending = null;
    };
    entries.then(done, done);
    return this.#settle(entries, { signal });
  }

  /** A writer with nothing to write would not notice that its peer has vanished. */
  #proveWriter(timeoutMs: number): void {
    const now = performance.now();
    if (!this.#writer.connected || now - this.#writerProvenAt < longestBlockMs) return;
    this.#writerProvenAt = now;
    this.#writer.command(['PING'], { timeoutMs }).catch(() => undefined);
  }

  async #ask(connection: RedisConnection, command: string[], timeoutMs?: number): Promise<Entry[]> {
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    return decodeEntries(await connection.command(command, options), this.#inbox);
  }

  /** Waits for the entries, but not beyond the time, the signal or the end of this broker. */
  async #settle(
    entries: Promise<Entry[]> | Entry[] | null,
    limits: { signal: AbortSignal | undefined; waitMs?: number },
  ): Promise<Entry[]> {
    const { signal, waitMs } = limits;
    const closing = this.#closing.signal;
    const { promise, resolve } = Promise.withResolvers<Entry[]>();
    const stop = () => resolve(nothing);
    const cancel = waitMs === undefined ? () => {} : systemClock.setTimer(waitMs, stop);
    signal?.addEventListener('abort', stop, { once: true });
    closing.addEventListener('abort', stop, { once: true });
    try {
      return await (entries === null ? promise : Promise.race([entries, promise]));
    } catch (error) {
      if (this.#stopped(signal)) return nothing;
      throw error;
    } finally {
      cancel();
      signal?.removeEventListener('abort', stop);
      closing.removeEventListener('abort', stop);
    }
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
