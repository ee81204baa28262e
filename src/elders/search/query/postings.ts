import { japaneseMark } from '../full-text/chunk-terms.ts';
import type { SearchIndex } from '../full-text/search-index.ts';
import { isUnspaced } from '../language/scripts.ts';

/** Passages that one term gives at most; beyond, it is too common to choose by. */
const longestList = 5_000;
/** What a look at how common a term is reads at most. */
const sample = 600;
/** Entries kept in memory over all terms (4 bytes each). */
const cacheEntries = 2_000_000;
/** Terms whose frequency is kept without their list. */
const mostFrequencies = 50_000;
/** What a list takes besides its entries. */
const entryOverhead = 16;

/** How the languages of the passages are sampled: in so many stretches of so many, again after so much growth. */
const windows = 16;
const windowIds = 512;
const sampleAgain = 0.05;
/**
 * After so much growth it is looked at again how common a term is; meanwhile it is taken to grow with the index. Large
 * indexes change less by their growth, and a look at them costs more: all terms at once would hold questions up.
 */
const growth = { small: 0.05, large: 0.5 } as const;
const largeIndex = 50_000;

const nothing = new Int32Array(0);

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

/** How many passages held a term among how many. */
interface Known {
  readonly frequency: number;
  readonly total: number;
}

/** Reads which passages hold a term and remembers it until the index changes. */
export class Postings {
  readonly #index: SearchIndex;
  readonly #known = new Map<string, Posting & Known>();
  /** Of terms whose lists were forgotten. */
  readonly #frequencies = new Map<string, Known>();
  #entries = 0;
  #newest = 0;
  #japanese = 0;
  #sampledAt = 0;
  #sums = new Float32Array(0);
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
    if (Math.abs(this.#newest - this.#sampledAt) > this.#sampledAt * sampleAgain) this.#sampleLanguages();
    this.#forgetWhole();
  }

  /** Estimates how many passages are Japanese: documents of one language often stand together. */
  #sampleLanguages(): void {
    const total = this.total;
    const step = Math.max(windowIds, Math.ceil(total / windows));
    let found = 0;
    let looked = 0;
    for (let from = 1; from <= total; from += step) {
      const to = Math.min(total, from + windowIds - 1);
      looked += to - from + 1;
      // FTS5 skips to a row by an integer alone: a number is bound as a real, and all rows are gone through.
      const row = this.#index
        .statement('SELECT count(*) AS n FROM terms WHERE terms MATCH ? AND rowid BETWEEN ? AND ?')
        .get(quoted(japaneseMark), BigInt(from), BigInt(to));
      found += Number(row?.n ?? 0);
    }
    this.#japanese = Math.round((found * total) / Math.max(1, looked));
    this.#sampledAt = this.#newest;
  }

  /**
   * Forgets the lists that a new passage may stand in: of a term that is too common for its list to be whole, the first
   * passages stay the first. How common a term is hardly changes, but for those that stood nowhere.
   */
  #forgetWhole(): void {
    for (const [match, known] of this.#known) if (known.isWhole) this.#drop(match, known);
  }

  /** Forgets a list, but not how long it is, if it was not empty. */
  #drop(match: string, { ids, frequency, total }: Posting & Known): void {
    this.#known.delete(match);
    this.#entries -= ids.length + entryOverhead;
    if (frequency === 0) return;
    if (this.#frequencies.size >= mostFrequencies) this.#frequencies.clear();
    this.#frequencies.set(match, { frequency, total });
  }

  /** Whether the index has grown too much since a term was looked at. */
  #isStale({ total }: Known): boolean {
    return Math.abs(this.total - total) > total * (total < largeIndex ? growth.small : growth.large);
  }

  /** About how many passages there are. */
  get total(): number {
    return Math.max(1, this.#newest);
  }

  /** The passages that hold a term, or a word that begins with it. */
  of(term: string, isPrefix = false): Posting {
    const match = matchOf(term, isPrefix);
    const known = this.#known.get(match);
    const isEnough = known !== undefined && (known.isWhole || known.ids.length > 0) && !this.#isStale(known);
    return isEnough ? known : this.#read(match, longestList);
  }

  /** All passages that hold a term, where they were read before and are not too many; undefined otherwise. */
  known(term: string): Int32Array | undefined {
    const known = this.#known.get(matchOf(term, false));
    return known?.isWhole === true ? known.ids : undefined;
  }

  /** A sum for each passage by its id, all 0 and to be left so: too large to be made for every search. */
  sums(): Float32Array {
    if (this.#sums.length <= this.total) this.#sums = new Float32Array(Math.ceil(this.total * 1.1) + 1);
    return this.#sums;
  }

  /** 1 where at least half of the passages are Japanese, and less with fewer. */
  get japaneseShare(): number {
    return Math.min(1, (2 * this.#japanese) / this.total);
  }

  /**
   * How much a term tells passages apart, among those of its language: in an index with few Japanese texts each
   * Japanese word is rare, and says little by that.
   */
  idf(term: string, isPrefix = false): number {
    const total = isUnspaced(term.charCodeAt(0)) ? Math.max(1, this.total * this.japaneseShare) : this.total;
    const frequency = Math.min(total, this.frequency(term, isPrefix));
    return Math.log(1 + (total - frequency + 0.5) / (frequency + 0.5));
  }

  /** The first passages after one that FTS5 finds by an expression, rising. */
  matching(expression: string, after: number): Int32Array {
    const row = this.#index
      .statement(
        'SELECT json_group_array(rowid) AS ids FROM (SELECT rowid FROM terms WHERE terms MATCH ? AND rowid > ? LIMIT ?)',
      )
      .get(expression, BigInt(after), longestList);
    return Int32Array.from(JSON.parse(String(row?.ids ?? '[]')) as number[]);
  }

  /** About how many passages hold the term. */
  frequency(term: string, isPrefix = false): number {
    const match = matchOf(term, isPrefix);
    const list = this.#known.get(match);
    if (list?.isWhole === true) return list.frequency;
    const known = list ?? this.#frequencies.get(match);
    if (known === undefined || this.#isStale(known)) {
      // FTS5 merges all words that begin so before it gives the first passage: a shorter list would cost the same.
      const isWanted = isPrefix || (list !== undefined && list.ids.length > 0);
      return this.#read(match, isWanted ? longestList : sample).frequency;
    }
    return Math.round((known.frequency * this.total) / known.total);
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
    const { total } = this;
    const before = this.#known.get(match);
    if (before !== undefined) this.#drop(match, before);
    this.#frequencies.delete(match);
    // A part that is too short to choose by only tells how common the term is.
    const kept = isWhole || limit >= longestList ? ids : nothing;
    const posting = { ids: kept, frequency, isWhole, total };
    this.#known.set(match, posting);
    this.#entries += kept.length + entryOverhead;
    for (const [oldest, list] of this.#known) {
      if (this.#entries <= cacheEntries) break;
      this.#drop(oldest, list);
    }
    return posting;
  }
}

/** A term, or every word that begins with it, as FTS5 takes it. */
export function matchOf(term: string, isPrefix: boolean): string {
  return isPrefix ? `${quoted(term)} *` : quoted(term);
}
