import type { RedisEndpoint } from '../../protocol/bootstrap.ts';
import { ElderError } from '../../protocol/errors.ts';
import { type EdgeKey, splitEdgeKey, treeKeys } from '../../protocol/keys.ts';
import type { Broker, Commit, CommitAnswer, Entry, ReadOptions, Snapshot } from '../broker.ts';
import { systemClock } from '../clock.ts';
import { isReservedField } from '../reserved-fields.ts';
import { readBehind } from '../stream-id.ts';
import { commitCall } from './commit-library.ts';
import { RedisConnection, type RedisConnectionOptions, type RedisTls } from './redis-connection.ts';
import { decodeCommitAnswer, decodeEntries, decodeHash, decodeSnapshot } from './replies.ts';
import { decodeMarks, encodePosition, type Marks, noteMark } from './retained.ts';
import { WakeUps } from './wake-ups.ts';

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
  /** For a test in which lost wake-ups lose something: how long (ms) they are relied on. */
  readonly wakeUpTrustMs?: number;
  /** Told whenever the connections are complete, or no longer. */
  readonly onConnection?: (connected: boolean, error?: ElderError) => void;
  readonly onClosed?: () => void;
}

/** How long one read blocks (ms), however long its caller waits: an answer is due at least this often. */
const longestBlockMs = 2_000;
/** A blocking read is given up this many ms after Redis should have answered it. */
const watchdogMs = 2_000;
/** Edges above which a read names only those that have something new, as far as their writers say. */
const manyEdges = 64;
const nothing: Entry[] = [];

/** A connection on which one read waits at a time. */
interface ReadLine {
  readonly connection: RedisConnection;
  pending: PendingRead | null;
}

interface PendingRead {
  readonly cursors: ReadonlyMap<EdgeKey, string>;
  readonly count: number;
  readonly entries: Promise<Entry[]>;
}

interface Asked {
  readonly cursors: ReadonlyMap<EdgeKey, string>;
  readonly count: number;
  readonly blockMs?: number;
  /** To be told what was found. */
  readonly wakeUps?: WakeUps | undefined;
}

function asksTheSame(pending: PendingRead, cursors: ReadonlyMap<EdgeKey, string>, count: number): boolean {
  if (pending.count !== count || pending.cursors.size !== cursors.size) return false;
  return [...cursors].every(([edge, cursor]) => pending.cursors.get(edge) === cursor);
}

/**
 * The broker of one incarnation on Redis. It keeps a connection that blocks in reading, another for urgent
 * reads once there are any, and one for the rest, and makes them again when they are lost; meanwhile methods wait up to 2 s and then reject with
 * `redis_unreachable`. Nothing is ever sent twice by itself.
 */
export class RedisBroker implements Broker {
  readonly #options: RedisBrokerOptions;
  readonly #keys: ReturnType<typeof treeKeys>;
  readonly #inbox: string;
  readonly #writer: RedisConnection;
  readonly #line: ReadLine;
  #urgent: ReadLine | null = null;
  #wakeUps: WakeUps | null = null;
  /** Names of the streams behind the edges; a reader of hundreds of edges needs all of them for every read. */
  readonly #streams = new Map<EdgeKey, string>();
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(event: string) => void>();
  #subscriber: RedisConnection | null = null;
  readonly #marks = new Map<EdgeKey, Marks>();
  /** How many messages an entry held in the last read, so that the next asks for as many entries as it needs. */
  #messagesPerEntry = 1;
  #connected = false;
  #writerProvenAt = 0;

  constructor(options: RedisBrokerOptions) {
    this.#options = options;
    this.#keys = treeKeys(options.tree);
    this.#inbox = this.#keys.inbox(options.name);
    const onState = (_: boolean, error?: ElderError) => this.#onState(error);
    this.#writer = this.#connect({ onState });
    this.#line = this.#newLine();
  }

  #newLine(): ReadLine {
    const onState = (_: boolean, error?: ElderError) => this.#onState(error);
    return { connection: this.#connect({ onState }), pending: null };
  }

  #urgentLine(): ReadLine {
    this.#urgent ??= this.#newLine();
    return this.#urgent;
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

  async read(cursors: ReadonlyMap<EdgeKey, string>, options: ReadOptions): Promise<Entry[]> {
    const { count, waitMs, signal, urgent = false } = options;
    if (this.#stopped(signal)) return nothing;
    if (waitMs <= 0) {
      // Not on the reader's connection, where an aborted read may still block.
      const entries = cursors.size > 0 ? this.#ask(this.#writer, { cursors, count }) : [];
      return this.#settle(entries, { signal });
    }
    const until = performance.now() + waitMs;
    const line = urgent ? this.#urgentLine() : this.#line;
    // What is urgent is waited for at Redis itself, however many edges that is.
    const isWoken = !urgent && cursors.size > manyEdges;
    for (;;) {
      const restMs = Math.ceil(until - performance.now());
      if (restMs <= 0 || this.#stopped(signal)) return nothing;
      const entries = isWoken
        ? await this.#readNamed(cursors, count, restMs, signal)
        : await this.#wait(line, cursors, count, restMs, signal);
      if (entries.length > 0) return entries;
    }
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
    this.#line.connection.close();
    this.#urgent?.connection.close();
    this.#wakeUps?.close();
    this.#subscriber?.close();
    this.#listeners.clear();
    this.#options.onClosed?.();
  }

  /** Has every connection replaced by one that shows the present certificate; nothing is lost by it. */
  renewConnections(): void {
    const reading = [this.#line.connection, this.#urgent?.connection];
    for (const connection of [this.#writer, ...reading, this.#subscriber, this.#wakeUps]) connection?.renew();
  }

  #connect(rest: Pick<RedisConnectionOptions, 'onState' | 'subscription'>): RedisConnection {
    const { tree, endpoint, credential, tls, connectionAgeMs: maxAgeMs } = this.#options;
    const age = maxAgeMs === undefined ? {} : { maxAgeMs };
    return new RedisConnection({ tree, endpoint, credential, tls, ...age, ...rest });
  }

  #onState(error: ElderError | undefined): void {
    const connected = this.#writer.connected && this.#line.connection.connected;
    if (connected === this.#connected || this.#closing.signal.aborted) return;
    this.#connected = connected;
    // It sends nothing by which it would notice a dead connection; what broke the others broke it too.
    if (!connected) {
      this.#subscriber?.drop();
      this.#wakeUps?.drop();
    }
    this.#options.onConnection?.(connected, error);
  }

  #stopped(signal: AbortSignal | undefined): boolean {
    return this.#closing.signal.aborted || signal?.aborted === true;
  }

  #readCommand({ cursors, blockMs }: Asked, entries: number): string[] {
    const block = blockMs === undefined ? [] : ['BLOCK', String(blockMs)];
    const streams = [...cursors.keys()].map((edge) => this.#streamOf(edge));
    const behind = [...cursors.values()].map(readBehind);
    return ['XREAD', 'COUNT', String(entries), ...block, 'STREAMS', ...streams, ...behind];
  }

  #streamOf(edge: EdgeKey): string {
    const known = this.#streams.get(edge);
    if (known !== undefined) return known;
    const { source, lane } = splitEdgeKey(edge);
    const stream = this.#keys.edge(this.#options.name, source, lane);
    this.#streams.set(edge, stream);
    return stream;
  }

  /** Reads, as long as wake-ups can be relied on, only edges that may have something. */
  #readNamed(
    cursors: ReadonlyMap<EdgeKey, string>,
    count: number,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Entry[]> {
    this.#wakeUps ??= new WakeUps({
      channel: this.#keys.wakeUps(this.#options.name),
      connect: (rest) => this.#connect(rest),
      trustMs: this.#options.wakeUpTrustMs,
    });
    const wakeUps = this.#wakeUps;
    const { restMs } = wakeUps;
    if (restMs === 0 || this.#line.pending)
      return this.#wait(this.#line, cursors, count, waitMs, signal, wakeUps);
    const due = wakeUps.undrained(cursors);
    if (due.size > 0) {
      return this.#settle(this.#ask(this.#line.connection, { cursors: due, count, wakeUps }), { signal });
    }
    const woken = wakeUps.wait(Math.min(waitMs, restMs)).then(() => nothing);
    return this.#settle(woken, { signal });
  }

  #wait(
    line: ReadLine,
    cursors: ReadonlyMap<EdgeKey, string>,
    count: number,
    waitMs: number,
    signal: AbortSignal | undefined,
    wakeUps?: WakeUps,
  ): Promise<Entry[]> {
    if (cursors.size === 0) return this.#settle(null, { signal, waitMs });
    // A read that was aborted still blocks its connection. One that asks the same takes it over, which loses
    // nothing since Redis keeps no trace of what was read; otherwise the connection has to be made anew.
    if (line.pending && asksTheSame(line.pending, cursors, count)) {
      return this.#settle(line.pending.entries, { signal, waitMs });
    }
    if (line.pending) line.connection.drop();
    const blockMs = Math.min(waitMs, longestBlockMs);
    const entries = this.#ask(line.connection, { cursors, count, blockMs, wakeUps });
    this.#proveWriter(blockMs + watchdogMs);
    const pending: PendingRead = { cursors, count, entries };
    line.pending = pending;
    const done = () => {
      if (line.pending === pending) line.pending = null;
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

  async #ask(connection: RedisConnection, asked: Asked): Promise<Entry[]> {
    const { cursors, count, blockMs, wakeUps } = asked;
    const options = blockMs === undefined ? {} : { timeoutMs: blockMs + watchdogMs };
    const most = Math.ceil(count / this.#messagesPerEntry);
    const sent = wakeUps?.sent({ cursors, entries: most, isFull: blockMs !== undefined });
    const reply = await connection.command(this.#readCommand(asked, most), options);
    const { entries, messagesPerEntry } = decodeEntries(reply, this.#inbox, asked);
    this.#messagesPerEntry = messagesPerEntry ?? this.#messagesPerEntry;
    if (sent) wakeUps?.found(sent, entries);
    return entries;
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
