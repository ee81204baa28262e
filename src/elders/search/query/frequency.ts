import type { SearchIndex } from '../index/search-index.ts';

/** Counted exactly up to here; beyond, the share of the passages read so far stands for the rest. */
const exactLimit = 3_000;
const cacheSize = 20_000;

/** A term as FTS5 takes it. */
export function quoted(term: string): string {
  return `"${term.replaceAll('"', '""')}"`;
}

/** How many passages hold a term, remembered until the index has grown or shrunk by a tenth. */
export class TermFrequencies {
  readonly #index: SearchIndex;
  readonly #known = new Map<string, number>();
  #newest = 0;

  constructor(index: SearchIndex) {
    this.#index = index;
  }

  /** Looks how large the index is now; before each search. */
  refresh(): void {
    const newest = Number(this.#index.statement('SELECT max(id) AS n FROM chunks').get()?.n ?? 0);
    if (Math.abs(newest - this.#newest) > this.#newest / 10 || this.#known.size > cacheSize)
      this.#known.clear();
    this.#newest = newest;
  }

  /** About how many passages there are. */
  get total(): number {
    return Math.max(1, this.#newest);
  }

  /** About how many passages hold the term, in any field. */
  of(term: string, isPrefix = false): number {
    const match = isPrefix ? `${quoted(term)} *` : quoted(term);
    const known = this.#known.get(match);
    if (known !== undefined) return known;
    const row = this.#index
      .statement(
        'SELECT count(*) AS n, max(rowid) AS last FROM (SELECT rowid FROM terms WHERE terms MATCH ? LIMIT ?)',
      )
      .get(match, exactLimit);
    const counted = Number(row?.n ?? 0);
    const last = Number(row?.last ?? 0);
    const count = counted < exactLimit ? counted : Math.round((counted * this.#newest) / Math.max(1, last));
    this.#known.set(match, count);
    return count;
  }
}
