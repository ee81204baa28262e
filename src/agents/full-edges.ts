import type { Lane } from '../protocol/lanes.ts';

/** An edge out of an elder, as `target:lane`. */
export type OutEdge = `${string}:${Lane}`;

/** Names an edge out of an elder. */
export function outEdge(target: string, lane: Lane): OutEdge {
  return `${target}:${lane}`;
}

/** Whether a part of a step may write where it wants: at once, in a later step, or not before a time (ms). */
export type Admission =
  | { readonly kind: 'go' }
  | { readonly kind: 'later' }
  | { readonly kind: 'full'; readonly edge: OutEdge; readonly until: number };

interface Row {
  /** How many parts of one step may write there. */
  allowance: number;
  /** Nothing is tried there before this time (ms). */
  until: number;
  /** How often in a row not even one part found room. */
  refusals: number;
}

const firstWaitMs = 20;
const longestWaitMs = 1_000;
/** An edge that takes this many parts of one step again is no longer watched. */
const plenty = 256;

/**
 * The edges that Redis said are full. What would write there is held back and tried again with fewer parts, in
 * the end one, after growing pauses; everything else goes on meanwhile.
 */
export class FullEdges {
  readonly #rows = new Map<OutEdge, Row>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Decides on a part that writes to these edges; `used` counts the parts of this step that write to each already. */
  admit(edges: Iterable<OutEdge>, used: ReadonlyMap<OutEdge, number>, now: number): Admission {
    let later = false;
    for (const edge of edges) {
      const row = this.#rows.get(edge);
      if (!row) continue;
      if (row.until > now) return { kind: 'full', edge, until: row.until };
      if ((used.get(edge) ?? 0) >= row.allowance) later = true;
    }
    return later ? { kind: 'later' } : { kind: 'go' };
  }

  /** Notes that a step found no room in an edge to which `parts` of it wrote; gives whether nothing goes there now. */
  refused(edge: OutEdge, parts: number, now: number): boolean {
    const row = this.#rows.get(edge) ?? { allowance: 0, until: 0, refusals: 0 };
    this.#rows.set(edge, row);
    if (parts > 1) {
      row.allowance = Math.floor(parts / 2);
      return false;
    }
    const ceiling = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(row.refusals, 10));
    row.allowance = 1;
    row.refusals += 1;
    row.until = now + ceiling * (0.5 + this.#random() / 2);
    return row.refusals === 1;
  }

  /** Notes that a step landed with this many parts per edge; gives the edges that were full and are no longer. */
  landed(used: ReadonlyMap<OutEdge, number>): OutEdge[] {
    const open: OutEdge[] = [];
    for (const [edge, parts] of used) {
      const row = this.#rows.get(edge);
      if (!row) continue;
      if (row.refusals > 0) open.push(edge);
      row.refusals = 0;
      // Fewer parts than were allowed: all that wanted to go there went.
      const enough = parts < row.allowance || row.allowance * 2 >= plenty;
      if (enough) this.#rows.delete(edge);
      else row.allowance *= 2;
    }
    return open;
  }
}
