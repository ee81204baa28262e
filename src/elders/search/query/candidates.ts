import type { SearchIndex } from '../full-text/search-index.ts';
import { type Postings, quoted } from './postings.ts';
import type { FormTerm, Unit } from './unit.ts';

/** What narrows the passages that are looked at, as an FTS5 expression; undefined when nothing does. */
export type Restriction = string | undefined;

/** Postings that are added up at most, and that FTS5 scores at most: what keeps common words below their time. */
const sumBudget = 25_000;
const bm25Budget = 5_000;
/** FTS5 scores each term in each passage: more of them cost more than they choose. */
const bm25Terms = 6;
/** A word in a heading says more than one in the text. */
const headShare = 0.8;

/** A single ideograph also begins pairs; a prefix begins words. */
export function isPrefixTerm({ term, match }: FormTerm): boolean {
  return match === 'prefix' || (match === 'anywhere' && term.length === 1);
}

interface WeightedTerm {
  readonly term: FormTerm;
  readonly weight: number;
  readonly isAsked: boolean;
  readonly frequency: number;
}

function idf(total: number, frequency: number): number {
  return Math.log(1 + (Math.max(0, total - frequency) + 0.5) / (frequency + 0.5));
}

/** Every term once, with the most that it may add; the rarest first. */
function weightedTerms(units: readonly Unit[], postings: Postings): WeightedTerm[] {
  const found = new Map<string, WeightedTerm>();
  for (const unit of units) {
    for (const form of unit.forms) {
      const shares = form.terms.reduce((sum, term) => sum + term.share, 0);
      for (const term of form.terms) {
        const weight = (unit.weight * form.weight * form.size * term.share) / shares;
        const known = found.get(term.term);
        if (known !== undefined && known.weight >= weight) continue;
        const frequency = postings.frequency(term.term, isPrefixTerm(term));
        const isAsked = form.origin === 'query' || form.origin === 'prefix' || known?.isAsked === true;
        if (frequency > 0) found.set(term.term, { term, weight, isAsked, frequency });
      }
    }
  }
  return [...found.values()].sort((a, b) => a.frequency - b.frequency);
}

/** The `most` ids with the highest sums, the best first. */
function highest(sums: Float32Array, touched: readonly number[], most: number): number[] {
  const values = Float32Array.from(touched, (id) => sums[id] ?? 0).sort();
  const least = values[Math.max(0, values.length - most)] ?? 0;
  return touched
    .filter((id) => (sums[id] ?? 0) >= least)
    .sort((a, b) => (sums[b] ?? 0) - (sums[a] ?? 0) || a - b)
    .slice(0, most);
}

/** The best by how much rarity they hold, whatever the number of times. */
function bySum(
  terms: readonly WeightedTerm[],
  postings: Postings,
  allowed: ReadonlySet<number> | undefined,
  limit: number,
): number[] {
  const sums = new Float32Array(postings.total + 1);
  const touched: number[] = [];
  let left = sumBudget;
  const add = (ids: Int32Array, amount: number) => {
    left -= ids.length;
    for (const id of ids) {
      const before = sums[id];
      if (before === undefined || (allowed !== undefined && !allowed.has(id))) continue;
      if (before === 0) touched.push(id);
      sums[id] = before + amount;
    }
  };
  for (const { term, weight, isAsked, frequency } of terms) {
    if (left <= 0) break;
    const worth = weight * idf(postings.total, frequency);
    const isPrefix = isPrefixTerm(term);
    add(postings.of(term.term, isPrefix).ids, worth);
    if (isAsked) add(postings.of(term.term, isPrefix, 'head').ids, worth * headShare);
  }
  return highest(sums, touched, limit);
}

function expressionOf(
  terms: readonly WeightedTerm[],
  operator: 'OR' | 'AND',
  restriction: Restriction,
): string {
  const words = terms
    .map(({ term }) => (isPrefixTerm(term) ? `${quoted(term.term)} *` : quoted(term.term)))
    .join(` ${operator} `);
  const expression = `({head body stem gram} : (${words}))`;
  return restriction === undefined ? expression : `${expression} AND (${restriction})`;
}

function byBm25(index: SearchIndex, expression: string, limit: number): number[] {
  return index
    .statement(
      `SELECT rowid AS id FROM (
         SELECT rowid, bm25(terms, 3.0, 1.0, 0.8, 1.0, 0.0) AS score FROM terms WHERE terms MATCH ? LIMIT ?
       ) ORDER BY score LIMIT ?`,
    )
    .all(expression, bm25Budget, limit)
    .map((row) => Number(row.id));
}

/** Ids that a restriction leaves; undefined when there is none. */
function allowedIds(index: SearchIndex, restriction: Restriction): ReadonlySet<number> | undefined {
  if (restriction === undefined) return undefined;
  const row = index
    .statement(
      'SELECT json_group_array(rowid) AS ids FROM (SELECT rowid FROM terms WHERE terms MATCH ? LIMIT 200000)',
    )
    .get(restriction);
  return new Set(JSON.parse(String(row?.ids ?? '[]')) as number[]);
}

/**
 * The passages worth scoring in full: the best by the rarity of all that may be meant, and the best by FTS5's BM25 for
 * the rarest words asked for, each `limit` at most.
 */
export function candidates(
  index: SearchIndex,
  units: readonly Unit[],
  postings: Postings,
  restriction: Restriction,
  limit: number,
): number[] {
  const strong = units.filter(({ weight }) => weight >= 0.3);
  const terms = weightedTerms(strong.length > 0 ? strong : units, postings);
  if (terms.length === 0) return [];
  const found = new Set(bySum(terms, postings, allowedIds(index, restriction), limit));
  const asked = terms.filter(({ isAsked }) => isAsked);
  const rare: WeightedTerm[] = [];
  let sum = 0;
  for (const term of asked.slice(0, bm25Terms)) {
    if (rare.length > 0 && sum + term.frequency > bm25Budget) break;
    rare.push(term);
    sum += term.frequency;
  }
  if (rare.length > 0)
    for (const id of byBm25(index, expressionOf(rare, 'OR', restriction), limit)) found.add(id);
  // Where every word is common, only together do they choose.
  const common = asked.filter(({ term }) => !postings.of(term.term, isPrefixTerm(term)).isWhole);
  if (common.length > 1 && common.length === asked.length) {
    const all = expressionOf(common.slice(0, bm25Terms), 'AND', restriction);
    for (const id of byBm25(index, all, limit)) found.add(id);
  }
  return [...found];
}
