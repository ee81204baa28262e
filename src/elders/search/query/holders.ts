import { ubiquitous } from '../full-text/chunk-terms.ts';
import { isPrefixTerm } from './candidates.ts';
import type { Postings } from './postings.ts';
import type { Form, FormTerm, Unit } from './unit.ts';

/**
 * Whether a term is in the index wherever it is found in a text: a longer Japanese word is so only where ICU parts it, and
 * of an identifier only the parts have stems there.
 */
function isIndexedAsIs(term: FormTerm, form: Form): boolean {
  if (isPrefixTerm(term) || ubiquitous.has(term.term)) return false;
  if (term.match === 'stem' && form.terms.length > 2 && !form.text.includes(' ')) return false;
  return term.match !== 'anywhere' || term.term.length === 2;
}

/** Whether a rising list holds an id. */
function holds(ids: Int32Array, id: number): boolean {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id;
}

/** The passages that the terms of a query stand in, as far as the index tells all of them: no text is searched in vain. */
export class Holders {
  readonly #ids = new Map<FormTerm, Int32Array>();

  constructor(units: readonly Unit[], postings: Postings) {
    for (const form of units.flatMap((unit) => unit.forms)) {
      for (const term of form.terms) {
        const ids = isIndexedAsIs(term, form) ? postings.known(term.term) : undefined;
        if (ids !== undefined) this.#ids.set(term, ids);
      }
    }
  }

  /** Whether a passage certainly does not hold a term. */
  exclude(term: FormTerm, id: number): boolean {
    const ids = this.#ids.get(term);
    return ids !== undefined && !holds(ids, id);
  }
}
