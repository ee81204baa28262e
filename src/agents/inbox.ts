import type { Entry, Position } from '../messaging/broker.ts';
import { type EdgeKey, splitEdgeKey } from '../protocol/keys.ts';
import { type Lane, laneQuota, lanes } from '../protocol/lanes.ts';

/** Entries that are read ahead of each edge. */
export const readAhead = 512;

/** Lanes that are read together. */
export const paces = ['urgent', 'usual'] as const;
export type Pace = (typeof paces)[number];

const paceOf: Readonly<Record<Lane, Pace>> = {
  control: 'urgent',
  high: 'urgent',
  normal: 'usual',
  low: 'usual',
};

/** An entry with the time at which it was read. */
export interface Delivered extends Entry {
  readonly deliveredAt: number;
}

interface Edge {
  readonly key: EdgeKey;
  readonly lane: Lane;
  readonly pace: Pace;
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
  readonly #counts: Record<Pace, number> = { urgent: 0, usual: 0 };
  /**
   * Those with something in their queue, by lane; the first is the next to be picked from, and goes to the end.
   * A reader of hundreds of edges must not look at all of them for each message.
   */
  readonly #filled: Readonly<Record<Lane, Set<Edge>>> = {
    control: new Set(),
    high: new Set(),
    normal: new Set(),
    low: new Set(),
  };

  constructor(keys: readonly EdgeKey[], positions: ReadonlyMap<EdgeKey, Position>) {
    for (const key of keys) {
      const position = positions.get(key);
      const { lane } = splitEdgeKey(key);
      const edge: Edge = {
        key,
        lane,
        pace: paceOf[lane],
        cursor: position?.id ?? '0-0',
        lastSequence: position?.sequence ?? 0,
        queue: [],
        notBefore: 0,
      };
      this.#edges.set(key, edge);
      this.#counts[edge.pace] += 1;
    }
  }

  *#filledEdges(pace?: Pace): Generator<Edge> {
    for (const lane of lanes) if (pace === undefined || paceOf[lane] === pace) yield* this.#filled[lane];
  }

  /** Id of the last entry that was read from an edge; `undefined` where there is no such edge. */
  cursorOf(key: EdgeKey): string | undefined {
    return this.#edges.get(key)?.cursor;
  }

  /** Cursors of the edges of a pace that have room. */
  wanted(pace: Pace): Map<EdgeKey, string> {
    const cursors = new Map<EdgeKey, string>();
    for (const edge of this.#edges.values()) {
      if (edge.pace === pace && edge.queue.length < readAhead) cursors.set(edge.key, edge.cursor);
    }
    return cursors;
  }

  /** How many edges of a pace have room. */
  wantedCount(pace: Pace): number {
    let full = 0;
    for (const edge of this.#filledEdges(pace)) if (edge.queue.length >= readAhead) full += 1;
    return this.#counts[pace] - full;
  }

  /** How many edges are read at a pace. */
  edgeCount(pace: Pace): number {
    return this.#counts[pace];
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
      const { id, body, head } = entry;
      edge.queue.push({ edge: edge.key, id, sequence, body, head, deliveredAt });
      this.#filled[edge.lane].add(edge);
    }
    return gaps;
  }

  /** Whether anything can be handled at this time, or anything of a pace. */
  hasWork(now: number, pace?: Pace): boolean {
    for (const edge of this.#filledEdges(pace)) if (edge.notBefore <= now) return true;
    return false;
  }

  /** Whether at least so many entries of a pace can be handled at this time. */
  hasPlenty(now: number, pace: Pace, count: number): boolean {
    let ready = 0;
    for (const edge of this.#filledEdges(pace)) {
      if (edge.notBefore > now) continue;
      ready += edge.queue.length;
      if (ready >= count) return true;
    }
    return false;
  }

  /** When the next edge that waits for a retry may go on; `undefined` if none waits. */
  nextRetryAt(): number | undefined {
    let next: number | undefined;
    for (const edge of this.#filledEdges()) {
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
    for (const lane of lanes) this.#take(lane, Math.min(laneQuota[lane], limit - picked.length), now, picked);
    for (const lane of lanes) this.#take(lane, limit - picked.length, now, picked);
    return picked;
  }

  #take(lane: Lane, count: number, now: number, into: Delivered[]): void {
    if (count <= 0) return;
    const filled = this.#filled[lane];
    const end = into.length + count;
    // What is added while it goes on comes last, so the edges take turns.
    for (const edge of filled) {
      if (into.length >= end) return;
      if (edge.notBefore > now) continue;
      const most = filled.size > 1 ? 1 : end - into.length;
      into.push(...edge.queue.splice(0, most));
      filled.delete(edge);
      if (edge.queue.length > 0) filled.add(edge);
    }
  }

  /** Puts entries back at the head of their edges, in the order in which they were picked. */
  putBack(entries: readonly Delivered[]): void {
    for (const entry of entries.toReversed()) {
      const edge = this.#edges.get(entry.edge);
      if (!edge) continue;
      edge.queue.unshift(entry);
      this.#filled[edge.lane].add(edge);
    }
  }
}
