import { type EdgeKey, splitEdgeKey, type TreeKeys } from '../../protocol/keys.ts';
import type { Entry, ReadOptions } from '../broker.ts';
import { readBehind } from '../stream-id.ts';
import { asksTheSame, type PendingRead, type ReadLine } from './read-line.ts';
import type { RedisConnection, RedisConnectionOptions } from './redis-connection.ts';
import { decodeEntries } from './replies.ts';
import { settleRead } from './settle-read.ts';
import { WakeUps } from './wake-ups.ts';

/** How long one read blocks (ms), however long its caller waits: an answer is due at least this often. */
const longestBlockMs = 2_000;
/** A blocking read is given up this many ms after Redis should have answered it. */
const watchdogMs = 2_000;
/** Edges above which a read names only those that have something new, as far as their writers say. */
const manyEdges = 64;
/**
 * For so long (ms) after it was made an elder has no connection of its own for urgent reads: making one would hold up
 * the first messages, for which a failover may have kept somebody waiting. What is there already is read without it.
 */
const urgentAfterMs = 100;
/** How long (ms) to wait at most before listening for wake-ups is tried again, which Redis may refuse. */
const listenRetryMs = 5_000;
const nothing: Entry[] = [];

interface Asked {
  readonly cursors: ReadonlyMap<EdgeKey, string>;
  readonly count: number;
  readonly blockMs?: number;
  /** To be told what was found. */
  readonly wakeUps?: WakeUps | undefined;
}

interface EdgeLinesOptions {
  readonly keys: TreeKeys;
  /** Who reads. */
  readonly name: string;
  /** The connection for what does not wait. */
  readonly writer: RedisConnection;
  /** Makes a connection. */
  readonly connect: (
    rest: Pick<RedisConnectionOptions, 'onState' | 'subscription' | 'longestBackoffMs'>,
  ) => RedisConnection;
  readonly onState: NonNullable<RedisConnectionOptions['onState']>;
  /** Aborts when nothing is to be read any more. */
  readonly closing: AbortSignal;
  /** See `WakeUps`. */
  readonly wakeUpTrustMs?: number | undefined;
}

/** The connections on which one elder reads its edges: one that waits, and another for urgent reads once there are any. */
export class EdgeLines {
  readonly #options: EdgeLinesOptions;
  readonly #inbox: string;
  readonly #line: ReadLine;
  #urgent: ReadLine | null = null;
  #wakeUps: WakeUps | null = null;
  /** Names of the streams behind the edges; a reader of hundreds of edges needs all of them for every read. */
  readonly #streams = new Map<EdgeKey, string>();
  /** How many messages an entry held in the last read, so that the next asks for as many entries as it needs. */
  #messagesPerEntry = 1;
  #writerProvenAt = 0;
  readonly #madeAt = performance.now();

  constructor(options: EdgeLinesOptions) {
    this.#options = options;
    this.#inbox = options.keys.inbox(options.name);
    this.#line = this.#newLine();
  }

  get connected(): boolean {
    return this.#line.connection.connected;
  }

  /** See `Broker.read`. */
  async read(cursors: ReadonlyMap<EdgeKey, string>, options: ReadOptions): Promise<Entry[]> {
    const { count, waitMs, signal, urgent = false } = options;
    if (this.#stopped(signal)) return nothing;
    if (waitMs <= 0) {
      // Not on the reader's connection, where an aborted read may still block.
      const entries = cursors.size > 0 ? this.#ask(this.#options.writer, { cursors, count }) : [];
      return this.#settle(entries, { signal });
    }
    const until = performance.now() + waitMs;
    if (urgent && this.#urgent === null) {
      const entries = await this.#readEarly(
        cursors,
        count,
        Math.min(until, this.#madeAt + urgentAfterMs),
        signal,
      );
      if (entries.length > 0) return entries;
    }
    if (this.#stopped(signal)) return nothing;
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

  /** Gives the connection up that would not notice by itself that it is dead. */
  drop(): void {
    this.#wakeUps?.drop();
  }

  /** Has every connection replaced by a new one; nothing is lost by it. */
  renew(): void {
    for (const each of [this.#line.connection, this.#urgent?.connection, this.#wakeUps]) each?.renew();
  }

  close(): void {
    for (const each of [this.#line.connection, this.#urgent?.connection, this.#wakeUps]) each?.close();
  }

  #newLine(): ReadLine {
    const { connect, onState } = this.#options;
    return { connection: connect({ onState }), pending: null };
  }

  /** Reads once what is there, and waits until that moment where there is nothing. */
  async #readEarly(
    cursors: ReadonlyMap<EdgeKey, string>,
    count: number,
    until: number,
    signal: AbortSignal | undefined,
  ): Promise<Entry[]> {
    const restMs = Math.ceil(until - performance.now());
    if (restMs <= 0) return nothing;
    const { writer } = this.#options;
    const entries =
      cursors.size === 0 ? nothing : await this.#settle(this.#ask(writer, { cursors, count }), { signal });
    if (entries.length > 0 || this.#stopped(signal)) return entries;
    return this.#settle(null, { signal, waitMs: restMs });
  }

  #urgentLine(): ReadLine {
    this.#urgent ??= this.#newLine();
    return this.#urgent;
  }

  #stopped(signal: AbortSignal | undefined): boolean {
    return this.#options.closing.aborted || signal?.aborted === true;
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
    const stream = this.#options.keys.edge(this.#options.name, source, lane);
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
    const { keys, name, connect, wakeUpTrustMs: trustMs } = this.#options;
    this.#wakeUps ??= new WakeUps({
      channel: keys.wakeUps(name),
      connect: (rest) => connect({ ...rest, longestBackoffMs: listenRetryMs }),
      trustMs,
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
    const { writer } = this.#options;
    const now = performance.now();
    if (!writer.connected || now - this.#writerProvenAt < longestBlockMs) return;
    this.#writerProvenAt = now;
    writer.command(['PING'], { timeoutMs }).catch(() => undefined);
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

  #settle(
    entries: Promise<Entry[]> | Entry[] | null,
    limits: { signal: AbortSignal | undefined; waitMs?: number },
  ): Promise<Entry[]> {
    return settleRead(entries, { ...limits, closing: this.#options.closing });
  }
}
