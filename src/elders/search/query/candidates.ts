import { headMark, oftenMark } from '../full-text/chunk-terms.ts';
import type { SearchIndex } from '../full-text/search-index.ts';
import { matchOf, type Postings } from './postings.ts';
import type { FormTerm, Unit } from './unit.ts';

/** What narrows the passages that are looked at, as an FTS5 expression; undefined when nothing does. */
export type Restriction = string | undefined;

/** Postings that are added up at most: what keeps common words below their time. */
const sumBudget = 25_000;
/** Postings of the rarest that are gone through where terms are asked for together. */
const togetherBudget = 40_000;
/** Terms that are asked for together where each of them is common. */
const mostTogether = 6;
/** A word in a heading says more than one in the text, and so does one that is repeated. */
const markShares = [
  [headMark, 0.8],
  [oftenMark, 0.4],
] as const;

/** A single ideograph also begins pairs; a prefix begins words. */
export function isPrefixTerm({ term, match }: FormTerm): boolean {
  return match === 'prefix' || (match === 'anywhere' && term.length === 1);
}

interface WeightedTerm {
  readonly term: FormTerm;
  readonly weight: number;
  readonly isAsked: boolean;
  readonly frequency: number;
  /** What a passage gains that holds it. */
  readonly worth: number;
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
        const worth = weight * postings.idf(term.term, isPrefixTerm(term));
        if (frequency > 0) found.set(term.term, { term, weight, isAsked, frequency, worth });
      }
    }
  }
  return [...found.values()].sort((a, b) => a.frequency - b.frequency);
}

/** The value that `place` others are not above, by Hoare's selection; orders `values` in part. */
function selected(values: Float32Array, place: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] ?? 0;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] ?? 0) > pivot) left += 1;
      while ((values[right] ?? 0) < pivot) right -= 1;
      if (left > right) break;
      const value = values[left] ?? 0;
      values[left] = values[right] ?? 0;
      values[right] = value;
      left += 1;
      right -= 1;
    }
    if (place <= right) high = right;
    else if (place >= left) low = left;
    else break;
  }
  return values[place] ?? 0;
}

/** The `most` ids with the highest sums. */
function highest(sums: Float32Array, touched: readonly number[], most: number): number[] {
  if (touched.length <= most) return [...touched];
  const values = new Float32Array(touched.length);
  for (let at = 0; at < touched.length; at += 1) values[at] = sums[touched[at] ?? 0] ?? 0;
  const least = selected(values, most - 1);
  const above = touched.filter((id) => (sums[id] ?? 0) > least);
  const equal: number[] = [];
  for (const id of touched) {
    if (above.length + equal.length >= most) break;
    if (sums[id] === least) equal.push(id);
  }
  return [...above, ...equal];
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

/** The passages worth scoring in full, `limit` at most: the best by the rarity of all that may be meant. */
export function candidates(
  index: SearchIndex,
  units: readonly Unit[],
  postings: Postings,
  restriction: Restriction,
  limit: number,
): number[] {
  const strong = units.filter(({ weight }) => weight >= 0.3);
  const terms = weightedTerms(strong.length > 0 ? strong : units, postings);
  const allowed = allowedIds(index, restriction);
  // All is read before anything is summed up: the sums must be 0 again afterwards.
  const lists: {
    readonly ids: Int32Array;
    readonly worth: number;
    readonly unread: number;
    readonly after: number;
  }[] = [];
  let left = sumBudget;
  const take = (ids: Int32Array, worth: number, unread = 0, after = Infinity) => {
    left -= ids.length;
    lists.push({ ids, worth, unread, after });
  };
  for (const { term, worth, isAsked } of terms) {
    if (left <= 0) break;
    const isPrefix = isPrefixTerm(term);
    const { ids, isWhole } = postings.of(term.term, isPrefix);
    take(ids, worth);
    if (!isAsked) continue;
    // A marked passage that comes after those that were read holds the term itself as well.
    const after = isWhole ? Infinity : (ids.at(-1) ?? 0);
    for (const [mark, share] of markShares)
      take(postings.of(mark + term.term, isPrefix).ids, worth * share, worth, after);
  }
  // Where every word is so common that only the first passages with it were read, they choose only together.
  const asked = terms.filter(({ isAsked }) => isAsked);
  const isCommon = asked.every(({ term }) => !postings.of(term.term, isPrefixTerm(term)).isWhole);
  if (asked.length > 1 && isCommon) {
    const together = asked.slice(0, mostTogether).map(({ term }) => matchOf(term.term, isPrefixTerm(term)));
    const worth = asked.reduce((sum, one) => sum + one.worth, 0);
    // The newest part, where even the rarest of them is too long to be gone through.
    const rarest = Math.min(...asked.slice(0, mostTogether).map(({ frequency }) => frequency));
    const after = Math.floor(postings.total * Math.max(0, 1 - togetherBudget / rarest));
    take(postings.matching(together.join(' AND '), after), worth);
  }
  const sums = postings.sums();
  const touched: number[] = [];
  for (const { ids, worth, unread, after } of lists) {
    for (const id of ids) {
      const before = sums[id];
      if (before === undefined || (allowed !== undefined && !allowed.has(id))) continue;
      if (before === 0) touched.push(id);
      sums[id] = before + worth + (id > after ? unread : 0);
    }
  }
  const best = highest(sums, touched, limit);
  for (const id of touched) sums[id] = 0;
  return best;
}
