import { normalize } from '../language/normalize.ts';
import { isPartlyJapanese, isUnspaced } from '../language/scripts.ts';
import { soundOf } from '../language/sound.ts';
import { eachTerm } from '../language/terms.ts';

/** In front of a term that stands above the passage: in a heading, the title, the path or a tag. */
export const headMark = '^';
/** In front of a term that a passage repeats. */
export const oftenMark = '~';

/** A term that a misspelt or transliterated word may mean: letters only, of a usual length. */
const spellable = /^(?:[a-z]{4,24}|[\u30a1-\u30fa\u30fc]{3,24})$/u;

/** Words that stand in nearly every English passage and would be half of the index. */
export const ubiquitous = new Set(['a', 'an', 'and', 'in', 'is', 'of', 'the', 'to']);
/** The term of every passage with Japanese in it. */
export const japaneseMark = '=ja';

/** From so many on, a passage repeats a term. */
const often = 3;

/**
 * The terms that a passage is found by, each once and parted by spaces: those of its text and of what stands above it,
 * the latter once more with `headMark`, repeated ones with `oftenMark`. `spell` gets every word of the text that a
 * query may mean by mistake.
 */
export function chunkTerms(head: string, text: string, spell: (word: string) => void): string {
  const counts = new Map<string, number>();
  eachTerm(normalize(text), (term, kind) => {
    const count = counts.get(term);
    if (count === undefined) {
      counts.set(term, 1);
      if (kind === 'word' && spellable.test(term)) spell(term);
      // A Japanese word of two characters is a pair too, and was counted as that.
    } else if (kind !== 'word' || !isUnspaced(term.charCodeAt(0))) {
      counts.set(term, count + 1);
    }
  });
  const terms: string[] = [];
  if (isPartlyJapanese(text)) terms.push(japaneseMark);
  const heads = new Set<string>();
  eachTerm(normalize(head), (term) => heads.add(term));
  for (const term of heads) {
    terms.push(headMark + term);
    if (!counts.has(term)) terms.push(term);
  }
  for (const [term, count] of counts) {
    if (ubiquitous.has(term)) continue;
    terms.push(term);
    if (count >= often) terms.push(oftenMark + term);
  }
  return terms.join(' ');
}

/** The sound that a word is found by from the other script; '' when it has too little to tell words apart. */
export function spellingSound(word: string): string {
  return soundOf(word) ?? '';
}

/** A filter as a term: only characters that stay one token. */
export function attributeTerm(name: string, value: string): string {
  return `${name}=${Buffer.from(value.toLowerCase()).toString('hex')}`;
}
