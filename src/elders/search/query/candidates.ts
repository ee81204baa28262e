import type { SearchIndex } from '../index/search-index.ts';
import { quoted, type TermFrequencies } from './frequency.ts';
import type { Form, FormTerm, Unit } from './unit.ts';

/** Postings that one look-up reads at most: what keeps a query for common words below its time. */
const postingBudget = 30_000;

/** What narrows the passages that are looked at, as an FTS5 expression; undefined when nothing does. */
export type Restriction = string | undefined;

interface CandidateTerm {
  readonly term: string;
  readonly isPrefix: boolean;
  readonly frequency: number;
}

/** A single ideograph also begins pairs; a prefix begins words. */
function isPrefixTerm({ term, match }: FormTerm): boolean {
  return match === 'prefix' || (match === 'anywhere' && term.length === 1);
}

function candidateTerms(forms: readonly Form[], frequencies: TermFrequencies): CandidateTerm[] {
  const found = new Map<string, CandidateTerm>();
  for (const form of forms) {
    for (const term of form.terms) {
      if (found.has(term.term)) continue;
      const isPrefix = isPrefixTerm(term);
      const frequency = frequencies.of(term.term, isPrefix);
      if (frequency > 0) found.set(term.term, { term: term.term, isPrefix, frequency });
    }
  }
  return [...found.values()].sort((a, b) => a.frequency - b.frequency);
}

function lookUp(
  index: SearchIndex,
  terms: readonly CandidateTerm[],
  restriction: Restriction,
  limit: number,
): number[] {
  if (terms.length === 0) return [];
  const any = terms.map(({ term, isPrefix }) => (isPrefix ? `${quoted(term)} *` : quoted(term))).join(' OR ');
  const words = `({head body stem gram} : (${any}))`;
  const rows = index
    .statement(
      `SELECT rowid FROM (
         SELECT rowid, bm25(terms, 3.0, 1.0, 0.8, 1.0, 0.0) AS score FROM terms WHERE terms MATCH ? LIMIT ?
       ) ORDER BY score LIMIT ?`,
    )
    .all(restriction === undefined ? words : `${words} AND (${restriction})`, postingBudget, limit);
  return rows.map((row) => Number(row.rowid));
}

/** The passages worth scoring: those that hold the rarest terms, first by the words asked for, then by their kin. */
export function candidates(
  index: SearchIndex,
  units: readonly Unit[],
  frequencies: TermFrequencies,
  restriction: Restriction,
  limit: number,
): number[] {
  const strong = units.filter(({ weight }) => weight >= 0.3);
  const chosen = strong.length > 0 ? strong : units;
  const forms = chosen.flatMap((unit) => unit.forms);
  const found = new Set<number>();
  for (const group of [forms.filter(({ origin }) => origin === 'query'), forms]) {
    const terms = candidateTerms(group, frequencies);
    const picked: CandidateTerm[] = [];
    let postings = 0;
    for (const term of terms) {
      if (picked.length > 0 && postings + term.frequency > postingBudget) break;
      picked.push(term);
      postings += term.frequency;
    }
    for (const id of lookUp(index, picked, restriction, limit)) found.add(id);
  }
  return [...found];
}
