import type { Entry, Position } from '../messaging/broker.ts';
import { type EdgeKey, splitEdgeKey } from '../protocol/keys.ts';
import { type Lane, laneQuota, lanes, readWindow } from '../protocol/lanes.ts';

/** An entry with the time at which it was read. */
export interface Delivered extends Entry {
  readonly deliveredAt: number;
}

interface Edge {
  /** Place among the edges of the reader. */
  readonly index: number;
  readonly key: EdgeKey;
  readonly lane: Lane;
  /** Id of the last entry read, which may be ahead of the last one handled. */
  cursor: string;
  lastSequence: number;
  readonly queue: Delivered[];
  /** Not handled before this time (ms), because its head is waiting for its next try. */
  notBefore: number;
}

/** What was read and not yet handled: a bounded queue per edge, and the choice of what comes next. */
export class Inbox {
  readonly #edges = new Map<EdgeKey, Edge>();
  /** Those with something in their queue: a reader of hundreds of edges must not look at all of them for each message. */
  readonly #filled = new Set<Edge>();
  /** Where the next pick of a lane begins, so that no edge is always first. */
  #turn = 0;

  constructor(keys: readonly EdgeKey[], positions: ReadonlyMap<EdgeKey, Position>) {
    for (const key of keys) {
      const position = positions.get(key);
      const { lane } = splitEdgeKey(key);
      const edge: Edge = {
        index: this.#edges.size,
        key,
        lane,
        cursor: position?.id ?? '0-0',
        lastSequence: position?.sequence ?? 0,
        queue: [],
        notBefore: 0,
      };
      this.#edges.set(key, edge);
    }
  }

  /** Cursors of the edges that have room for another window. */
  wanted(): Map<EdgeKey, string> {
    const cursors = new Map<EdgeKey, string>();
    for (const edge of this.#edges.values()) {
      if (edge.queue.length < readWindow) cursors.set(edge.key, edge.cursor);
    }
    return cursors;
  }

  /** How many edges have room for another window. */
  get wantedCount(): number {
    let full = 0;
    for (const edge of this.#filled) if (edge.queue.length >= readWindow) full += 1;
    return this.#edges.size - full;
  }

  get edgeCount(): number {
    return this.#edges.size;
  }

  /** Queues what was read and lists the edges in which an entry is missing, which only a Redis that lost data can cause. */
  add(entries: readonly Entry[], deliveredAt: number): { edge: EdgeKey; expected: number; found: number }[] {
    const gaps = [];
    for (const entry of entries) {
      const edge = this.#edges.get(entry.edge);
      if (!edge) continue;
      const expected = edge.lastSequence + 1;
      // One that no commit wrote has no number; it is not counted, and whether it is a message shows later.
      const sequence = entry.sequence > 0 ? entry.sequence : edge.lastSequence;
      if (sequence !== expected && sequence === entry.sequence) {
        gaps.push({ edge: edge.key, expected, found: sequence });
      }
      edge.cursor = entry.id;
      edge.lastSequence = sequence;
      edge.queue.push({ ...entry, sequence, deliveredAt });
      this.#filled.add(edge);
    }
    return gaps;
  }

  /** Whether anything can be handled at this time. */
  hasWork(now: number): boolean {
    for (const edge of this.#filled) if (edge.notBefore <= now) return true;
    return false;
  }

  /** When the next edge that waits for a retry may go on; `undefined` if none waits. */
  nextRetryAt(): number | undefined {
    let next: number | undefined;
    for (const edge of this.#filled) {
      if (edge.notBefore > 0) next = Math.min(next ?? edge.notBefore, edge.notBefore);
    }
    return next;
  }

  /** Holds an edge back until a time; other edges and lanes go on. */
  holdBack(key: EdgeKey, until: number): void {
    const edge = this.#edges.get(key);
    if (edge) edge.notBefore = until;
  }

  /**
   * Chooses at most `limit` entries: lanes by urgency, each within its quota, then whatever room is left by
   * urgency again. Entries of one edge stay in order. They leave the queues.
   */
  pick(limit: number, now: number): Delivered[] {
    const picked: Delivered[] = [];
    this.#turn += 1;
    for (const lane of lanes) this.#take(lane, Math.min(laneQuota[lane], limit - picked.length), now, picked);
    for (const lane of lanes) this.#take(lane, limit - picked.length, now, picked);
    return picked;
  }

  #take(lane: Lane, count: number, now: number, into: Delivered[]): void {
    if (count <= 0) return;
    const ready = [...this.#filled]
      .filter((edge) => edge.lane === lane && edge.notBefore <= now)
      .sort((a, b) => a.index - b.index);
    const end = into.length + count;
    for (let index = 0; ready.length > 0 && into.length < end; index += 1) {
      const at = (this.#turn + index) % ready.length;
      const edge = ready[at] as Edge;
      into.push(edge.queue.shift() as Delivered);
      if (edge.queue.length > 0) continue;
      ready.splice(at, 1);
      this.#filled.delete(edge);
    }
  }

  /** Puts entries back at the head of their edges, in the order in which they were picked. */
  putBack(entries: readonly Delivered[]): void {
    for (const entry of entries.toReversed()) {
      const edge = this.#edges.get(entry.edge);
      if (!edge) continue;
      edge.queue.unshift(entry);
      this.#filled.add(edge);
    }
  }
}
