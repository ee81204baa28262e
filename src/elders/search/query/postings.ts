import type { SearchIndex } from '../full-text/search-index.ts';

/** Passages that one term gives at most; beyond, it is too common to choose by. */
const longestList = 5_000;
/** What a look at how common a term is reads at most. */
const sample = 600;
/** Entries kept in memory over all terms (4 bytes each). */
const cacheEntries = 2_000_000;

/** A term as FTS5 takes it. */
export function quoted(term: string): string {
  return `"${term.replaceAll('"', '""')}"`;
}

/** The passages that hold a term. */
export interface Posting {
  /** Ids, rising; the first of them only where there are too many. */
  readonly ids: Int32Array;
  /** About how many there are. */
  readonly frequency: number;
  readonly isWhole: boolean;
}

/** Reads which passages hold a term and remembers it until the index changes. */
export class Postings {
  readonly #index: SearchIndex;
  readonly #known = new Map<string, Posting>();
  #entries = 0;
  #newest = 0;
  #version = -1;
  #changes = -1;

  constructor(index: SearchIndex) {
    this.#index = index;
  }

  /** Forgets what is stale; before each search. */
  refresh(): void {
    // The first counts commits of other connections, the second what this one has written.
    const version = Number(this.#index.statement('PRAGMA data_version').get()?.data_version);
    const changes = Number(this.#index.statement('SELECT total_changes() AS n').get()?.n);
    if (version === this.#version && changes === this.#changes) return;
    this.#version = version;
    this.#changes = changes;
    this.#newest = Number(this.#index.statement('SELECT max(id) AS n FROM chunks').get()?.n ?? 0);
    this.#forget();
  }

  #forget(): void {
    this.#known.clear();
    this.#entries = 0;
  }

  /** About how many passages there are. */
  get total(): number {
    return Math.max(1, this.#newest);
  }

  /** The passages that hold a term, or a word that begins with it. */
  of(term: string, isPrefix = false): Posting {
    const match = matchOf(term, isPrefix);
    const known = this.#known.get(match);
    if (known !== undefined && (known.isWhole || known.ids.length >= longestList)) return known;
    return this.#read(match, longestList);
  }

  /** The first passages that FTS5 finds by an expression, rising. */
  matching(expression: string): Int32Array {
    const known = this.#known.get(expression);
    return (known ?? this.#read(expression, longestList)).ids;
  }

  /** About how many passages hold the term. */
  frequency(term: string, isPrefix = false): number {
    const match = matchOf(term, isPrefix);
    return (this.#known.get(match) ?? this.#read(match, sample)).frequency;
  }

  #read(match: string, limit: number): Posting {
    const row = this.#index
      .statement(
        'SELECT json_group_array(rowid) AS ids FROM (SELECT rowid FROM terms WHERE terms MATCH ? LIMIT ?)',
      )
      .get(match, limit);
    const ids = Int32Array.from(JSON.parse(String(row?.ids ?? '[]')) as number[]);
    const isWhole = ids.length < limit;
    // What was read tells how thick the rest is sown.
    const frequency = isWhole
      ? ids.length
      : Math.round((ids.length * this.total) / Math.max(1, ids.at(-1) ?? 1));
    const posting = { ids, frequency, isWhole };
    if (this.#entries > cacheEntries) this.#forget();
    this.#known.set(match, posting);
    this.#entries += ids.length + 16;
    return posting;
  }
}

/** A term, or every word that begins with it, as FTS5 takes it. */
export function matchOf(term: string, isPrefix: boolean): string {
  return isPrefix ? `${quoted(term)} *` : quoted(term);
}
