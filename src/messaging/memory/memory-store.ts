import { ElderError } from '../../protocol/errors.ts';
import { type EdgeKey, edgeKey } from '../../protocol/keys.ts';
import type { Lane } from '../../protocol/lanes.ts';
import type { Commit, CommitAnswer, Entry, Position, Snapshot } from '../broker.ts';
import type { Clock } from '../clock.ts';
import { messageId, type Pack, pack } from '../packing.ts';
import { journalLength, trimInterval } from '../retention.ts';
import { compareStreamIds } from '../stream-id.ts';

/** What keeps a commit honest. All are on; a test switches one off to see that its checker notices. */
export interface Guards {
  /** A commit lands as a whole; off: the handled positions land first, the rest a moment later. */
  readonly atomicCommit: boolean;
  /** A commit lands once; off: sent again, it lands again. */
  readonly commitNumber: boolean;
  /** Only the newest incarnation commits; off: any may. */
  readonly incarnation: boolean;
  /** A full edge takes nothing; off: edges are unbounded. */
  readonly room: boolean;
}

/** One commit that handled something, as the journal keeps it. */
export interface JournalEntry {
  readonly id: string;
  readonly number: number;
  readonly incarnation: number;
  readonly journal: string;
}

interface Edge {
  entries: Entry[];
  /** How many were ever sent. */
  sent: number;
}

interface Elder {
  incarnation: number;
  commitNumber: number;
  readonly fields: Map<string, string>;
  readonly positions: Map<EdgeKey, Position>;
  readonly journal: JournalEntry[];
  readonly inbox: Map<EdgeKey, Edge>;
}

/** A reader that waits for the first entry in its inbox, or for the end of its right to read. */
export type Wake = () => void;

/** All that Redis would hold for a tree, in memory; what happens when is up to the brokers on it. */
export class MemoryStore {
  readonly guards: Guards;
  readonly #clock: Clock;
  readonly #edgeLimit: number;
  readonly #retain: number;
  readonly #elders = new Map<string, Elder>();
  readonly #waiting = new Map<string, Set<Wake>>();
  readonly #listeners = new Set<(event: string) => void>();
  #lastMs = 0;
  #lastInMs = 0;

  constructor(options: { clock: Clock; edgeLimit: number; retain: number; guards?: Partial<Guards> }) {
    this.#clock = options.clock;
    this.#edgeLimit = options.edgeLimit;
    this.#retain = options.retain;
    this.guards = {
      atomicCommit: true,
      commitNumber: true,
      incarnation: true,
      room: true,
      ...options.guards,
    };
  }

  /** Begins an incarnation: older ones may not read or write any more. */
  setIncarnation(name: string, incarnation: number): void {
    this.#elder(name).incarnation = incarnation;
    this.#wake(name);
  }

  /** Forgets everything, as a Redis does that lost its file. */
  clear(): void {
    this.#elders.clear();
    this.#lastMs = 0;
    this.#lastInMs = 0;
  }

  incarnationOf(name: string): number {
    return this.#elder(name).incarnation;
  }

  /** Gives the journal of an elder, oldest first. */
  journalOf(name: string): readonly JournalEntry[] {
    return this.#elder(name).journal;
  }

  /** Gives the entries that an edge holds now, handled ones included. */
  edgeOf(target: string, source: string, lane: Lane): readonly Entry[] {
    return this.#elder(target).inbox.get(edgeKey(source, lane))?.entries ?? [];
  }

  /** Throws `fenced` unless this incarnation is the newest. */
  requireCurrent(name: string, incarnation: number): void {
    const newest = this.#elder(name).incarnation;
    if (this.guards.incarnation && incarnation !== newest) {
      throw new ElderError('fenced', `incarnation ${incarnation} of ${name} was followed by ${newest}`);
    }
  }

  snapshot(name: string): Snapshot {
    const { commitNumber, fields, positions } = this.#elder(name);
    return { commitNumber, fields: new Map(fields), positions: new Map(positions) };
  }

  /** Reads at most `count` entries behind each cursor. */
  entries(name: string, cursors: ReadonlyMap<EdgeKey, string>, count: number): Entry[] {
    const { inbox } = this.#elder(name);
    const found: Entry[] = [];
    for (const [edge, cursor] of cursors) {
      const entries = inbox.get(edge)?.entries ?? [];
      const from = firstAfter(entries, cursor);
      found.push(...entries.slice(from, from + count));
    }
    return found;
  }

  /** Says why a commit cannot land; `null` if it can. */
  check(name: string, incarnation: number, commit: Commit): CommitAnswer | null {
    const elder = this.#elder(name);
    if (this.guards.incarnation && incarnation !== elder.incarnation) return { kind: 'fenced' };
    if (this.guards.commitNumber && commit.number !== elder.commitNumber + 1) {
      return { kind: 'stale', number: elder.commitNumber };
    }
    if (!this.guards.room) return null;
    const fresh = new Map<Edge, number>();
    for (const { target, lane } of commit.send) {
      const edge = this.#edge(target, edgeKey(name, lane));
      fresh.set(edge, (fresh.get(edge) ?? 0) + 1);
    }
    for (const { target, lane } of commit.send) {
      const edge = this.#edge(target, edgeKey(name, lane));
      const backlog = edge.sent - this.#handled(target, edgeKey(name, lane));
      if (backlog + (fresh.get(edge) ?? 0) > this.#edgeLimit) return { kind: 'full', target, lane };
    }
    return null;
  }

  /** Writes what a commit says was handled. */
  applyPositions(name: string, commit: Commit): void {
    const { positions } = this.#elder(name);
    for (const [edge, position] of commit.positions) positions.set(edge, position);
  }

  /** Writes the rest of a commit: state, messages, journal, number. */
  applyRest(name: string, incarnation: number, commit: Commit): void {
    const elder = this.#elder(name);
    for (const [field, value] of commit.set) elder.fields.set(field, value);
    for (const field of commit.remove) elder.fields.delete(field);
    for (const each of pack(commit.send)) this.#append(name, each);
    if (commit.journal !== null) {
      const { number, journal } = commit;
      elder.journal.push({ id: this.#nextId(), number, incarnation, journal });
      if (elder.journal.length > 2 * journalLength) elder.journal.splice(0, journalLength);
    }
    elder.commitNumber = commit.number;
    for (const target of new Set(commit.send.map((message) => message.target))) this.#wake(target);
  }

  /** Calls `wake` once, when the inbox or the incarnation of an elder changes; the returned function takes it back. */
  awaitChange(name: string, wake: Wake): () => void {
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting.add(wake));
    return () => waiting.delete(wake);
  }

  publish(event: string): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  listen(listener: (event: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #append(source: string, { target, lane, messages }: Pack): void {
    const key = edgeKey(source, lane);
    const edge = this.#edge(target, key);
    const before = edge.sent;
    const id = this.#nextId();
    for (const [index, { body, head }] of messages.entries()) {
      edge.sent += 1;
      edge.entries.push({
        edge: key,
        id: messageId(id, index, messages.length),
        sequence: edge.sent,
        body,
        head,
      });
    }
    if (Math.floor(edge.sent / trimInterval) === Math.floor(before / trimInterval)) return;
    const keep = edge.sent - this.#handled(target, key) + this.#retain;
    if (keep < edge.entries.length) edge.entries = edge.entries.slice(edge.entries.length - keep);
  }

  #handled(target: string, edge: EdgeKey): number {
    return this.#elder(target).positions.get(edge)?.sequence ?? 0;
  }

  #wake(name: string): void {
    const waiting = [...(this.#waiting.get(name) ?? [])];
    this.#waiting.delete(name);
    for (const wake of waiting) wake();
  }

  /** Stream ids never go back, even when the clock does. */
  #nextId(): string {
    const ms = Math.max(this.#lastMs, Math.floor(this.#clock.now()));
    this.#lastInMs = ms === this.#lastMs ? this.#lastInMs + 1 : 0;
    this.#lastMs = ms;
    return `${ms}-${this.#lastInMs}`;
  }

  #edge(target: string, key: EdgeKey): Edge {
    const { inbox } = this.#elder(target);
    const known = inbox.get(key);
    if (known) return known;
    const edge: Edge = { entries: [], sent: 0 };
    inbox.set(key, edge);
    return edge;
  }

  #elder(name: string): Elder {
    let elder = this.#elders.get(name);
    if (!elder) {
      elder = {
        incarnation: 0,
        commitNumber: 0,
        fields: new Map(),
        positions: new Map(),
        journal: [],
        inbox: new Map(),
      };
      this.#elders.set(name, elder);
    }
    return elder;
  }
}

function firstAfter(entries: readonly Entry[], cursor: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareStreamIds(entries[middle]!.id, cursor) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
