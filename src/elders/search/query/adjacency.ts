import type { Hit } from './closeness.ts';
import type { Unit } from './unit.ts';

/** What may stand between two words that belong together: a particle, an article (columns). */
const gapColumns = 20;
/** Less is an ending or a particle, which is no neighbour. */
const leastWeight = 0.3;
/** Where they stand the other way round. */
const swapped = 0.5;
/** Where one of the two is another word than the one asked for. */
const inOtherWords = 0.5;

interface Pair {
  readonly first: number;
  readonly second: number;
  readonly worth: number;
}

/** The things asked for that follow each other in a question. */
export class Neighbours {
  readonly #pairs: readonly Pair[];
  readonly #total: number;

  /** `worth` is that of each unit. */
  constructor(units: readonly Unit[], worth: readonly number[]) {
    const strong = units.flatMap(({ weight }, at) => (weight >= leastWeight ? [at] : []));
    this.#pairs = strong.slice(1).map((second, at) => {
      const first = strong[at] ?? 0;
      return { first, second, worth: Math.min(worth[first] ?? 0, worth[second] ?? 0) };
    });
    this.#total = this.#pairs.reduce((sum, pair) => sum + pair.worth, 0);
  }

  /**
   * The share of them, by worth, that stand beside each other in one of some texts, from 0 to 1. `asked` holds the units
   * that were met in their own words, `characters` how many there are to a column.
   */
  share(texts: readonly (readonly Hit[])[], asked: ReadonlySet<number>, characters: number): number {
    if (this.#total === 0) return 0;
    let met = 0;
    for (const { first, second, worth } of this.#pairs) {
      const beside = Math.max(...texts.map((hits) => closest(hits, first, second, gapColumns * characters)));
      met += worth * beside * (asked.has(first) && asked.has(second) ? 1 : inOtherWords);
    }
    return met / this.#total;
  }
}

/** 1 where two units stand beside each other in their order, less the other way round, 0 where nowhere. */
function closest(hits: readonly Hit[], first: number, second: number, most: number): number {
  const own = hits.filter(({ unit }) => unit === first);
  const other = own.length === 0 ? [] : hits.filter(({ unit }) => unit === second);
  let best = 0;
  for (const one of own) {
    for (const next of other) {
      if (next.start >= one.end && next.start - one.end <= most) return 1;
      if (one.start >= next.end && one.start - next.end <= most) best = swapped;
    }
  }
  return best;
}
