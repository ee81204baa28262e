import { isPrefixTerm } from './candidates.ts';
import type { Postings } from './postings.ts';
import type { Form, Unit } from './unit.ts';
import { scoreWeights } from './weights.ts';

/** The most that a word which nobody wrote in the query is worth, beside the one it stands for. */
const mostBeside = 0.8;

/**
 * What is left of the score of a form that would tell more than the words it stands for. Its words may be rarer: in an
 * index with few Japanese texts 障害 tells little by its rarity, and its translation must not tell more. Or it is longer:
 * 依存関係 is not worth more than 依存. 1 for the words of the query, and where they stand nowhere.
 */
export class Rarity {
  readonly #left = new Map<Form, number>();

  constructor(units: readonly Unit[], postings: Postings) {
    const worth = ({ terms, weight, size, phrase }: Form) => {
      const rarest = terms.reduce(
        (most, term) => Math.max(most, postings.idf(term.term, isPrefixTerm(term))),
        0,
      );
      return weight * rarest * size * (phrase === undefined ? 1 : 1 + scoreWeights.phrase);
    };
    for (const { forms } of units) {
      const own = forms.find(({ origin }) => origin === 'query');
      const stands = own?.terms.every((term) => postings.frequency(term.term, isPrefixTerm(term)) > 0);
      if (own === undefined || stands !== true) continue;
      const most = mostBeside * worth(own);
      for (const form of forms) {
        const left = form.origin === 'query' ? 1 : most / Math.max(worth(form), 1e-9);
        if (left < 1) this.#left.set(form, left);
      }
    }
  }

  /** The share of its score that a form keeps. */
  left(form: Form): number {
    return this.#left.get(form) ?? 1;
  }
}
