import { normalize } from '../language/normalize.ts';
import { soundOf } from '../language/sound.ts';
import { eachTerm } from '../language/terms.ts';

/** The four columns that a passage is found by. */
export interface ChunkTerms {
  readonly head: string;
  readonly body: string;
  readonly stem: string;
  readonly gram: string;
}

/** A term that a misspelt or transliterated word may mean: letters only, of a usual length. */
const spellable = /^(?:[a-z]{4,24}|[\u30a1-\u30fa\u30fc]{3,24})$/u;

/** Words that stand in nearly every English passage and would be half of the index. */
const ubiquitous = new Set(['a', 'an', 'and', 'in', 'is', 'of', 'the', 'to']);
/** More of one term in one passage says nothing more. */
const mostRepeats = 3;

/** A list of terms in which each stands `mostRepeats` times at most. */
class TermList {
  #text = '';
  readonly #counts = new Map<string, number>();

  /** Adds a term; true when it is the first of its kind. */
  add(term: string): boolean {
    const count = this.#counts.get(term) ?? 0;
    if (count >= mostRepeats) return false;
    this.#counts.set(term, count + 1);
    this.#text += this.#text === '' ? term : ` ${term}`;
    return count === 0;
  }

  toString(): string {
    return this.#text;
  }
}

/** Splits a passage and what stands above it; `spell` gets every word that a query may mean by mistake. */
export function chunkTerms(head: string, text: string, spell: (word: string) => void): ChunkTerms {
  const heads = new TermList();
  eachTerm(normalize(head), (term) => heads.add(term));
  const body = new TermList();
  const stem = new TermList();
  const gram = new TermList();
  eachTerm(normalize(text), (term, kind) => {
    if (kind === 'gram') gram.add(term);
    else if (kind === 'stem') stem.add(term);
    else if (!ubiquitous.has(term) && body.add(term) && spellable.test(term)) spell(term);
  });
  return { head: `${heads}`, body: `${body}`, stem: `${stem}`, gram: `${gram}` };
}

/** The sound that a word is found by from the other script; '' when it has too little to tell words apart. */
export function spellingSound(word: string): string {
  return soundOf(word) ?? '';
}

/** A filter as a term of the column `attr`: only characters that stay one token. */
export function attributeTerm(name: string, value: string): string {
  return `${name}=${Buffer.from(value.toLowerCase()).toString('hex')}`;
}
