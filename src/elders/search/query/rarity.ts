import { isPrefixTerm } from './candidates.ts';
import type { Postings } from './postings.ts';
import type { Form, Unit } from './unit.ts';
import { scoreWeights } from './weights.ts';

/** A word that nobody wrote in the query tells at most so much more than the one it stands for. */
const mostBeside = 1.2;

/** What a form is worth by its length where all of it is met. */
function sizeOf({ size, phrase }: Form): number {
  return phrase === undefined ? size : size * (1 + scoreWeights.phrase);
}

/**
 * What is left of the score of a form that would tell more than the words it stands for. Its words may be rarer: in an
 * index with few Japanese texts 障害 tells little by its rarity, and its translation must not tell more. Or it is longer:
 * 依存関係 is worth no more than 依存. 1 for the words of the query, and where they stand nowhere.
 */
export class Rarity {
  readonly #left = new Map<Form, number>();

  constructor(units: readonly Unit[], postings: Postings) {
    const idf = ({ terms }: Form) =>
      terms.reduce((most, term) => Math.max(most, postings.idf(term.term, isPrefixTerm(term))), 0);
    for (const { forms } of units) {
      const own = forms.find(({ origin }) => origin === 'query');
      const stands = own?.terms.every((term) => postings.frequency(term.term, isPrefixTerm(term)) > 0);
      if (own === undefined || stands !== true) continue;
      const most = mostBeside * idf(own);
      for (const form of forms) {
        if (form.origin === 'query') continue;
        const left = Math.min(1, most / Math.max(idf(form), 1e-9)) * Math.min(1, sizeOf(own) / sizeOf(form));
        if (left < 1) this.#left.set(form, left);
      }
    }
  }

  /** The share of its score that a form keeps. */
  left(form: Form): number {
    return this.#left.get(form) ?? 1;
  }
}
