import { englishStem } from '../language/english-stem.ts';
import { isUnspaced, Script, scriptOf } from '../language/scripts.ts';
import { isEnglishStopWord } from '../language/stop-words.ts';
import { eachTerm } from '../language/terms.ts';
import type { Form, FormOrigin, FormTerm } from './unit.ts';

/** How much each kind of evidence counts beside a word of the query itself. */
export const unitWeights = {
  /** Kana alone: endings and particles more often than words. */
  hiragana: 0.2,
  /** A single ideograph between kana. */
  single: 0.6,
  general: 0.35,
  /** The parts of a compound together, where they are asked for beside it. */
  constituents: 1,
  /** Written otherwise: 取消 for 取り消し. */
  variant: 0.9,
  synonym: 0.6,
  translation: 0.7,
  dictionary: 0.8,
  /** Share of the words that the ICU dictionary sees, beside the pairs of characters. */
  word: 1,
  /** Shares of an English word as written and of its stem, which add up where both are met. */
  exact: 0.3,
  stem: 0.7,
  /** Share of a part of an identifier beside the whole. */
  part: 0.3,
} as const;

interface Collected {
  readonly words: string[];
  readonly grams: string[];
}

function collect(text: string): Collected {
  const words = new Set<string>();
  const grams = new Set<string>();
  eachTerm(text, (term, kind) => kind !== 'stem' && (kind === 'word' ? words : grams).add(term));
  return { words: [...words], grams: [...grams] };
}

/** A form of a Japanese run: its pairs of characters, and the words in it. */
function japaneseForm(text: string, origin: FormOrigin, weight: number): Form {
  const { words, grams } = collect(text);
  // The end of a run of ideographs is a term for single ones; in longer runs the pairs say more.
  const isPair = (gram: string) => gram.length > 1 && scriptOf(gram.charCodeAt(0)) === Script.ideograph;
  const pairs = grams.filter(
    (gram) =>
      gram.length > 1 ||
      !grams.some((other) => isPair(other) && (other.endsWith(gram) || other.startsWith(gram))),
  );
  const terms: FormTerm[] = [
    ...pairs.map((term) => ({ term, match: 'anywhere' as const, share: 1 })),
    ...words
      .filter((term) => !pairs.includes(term))
      .map((term) => ({
        term,
        match: 'anywhere' as const,
        share: unitWeights.word,
      })),
  ];
  // A compound of ideographs is several words (監視間隔); katakana of the same length is one, and parts of it are none.
  const isKatakana = [...text].every((one) => scriptOf(one.charCodeAt(0)) === Script.katakana);
  const size = isKatakana ? 1 + Math.max(0, text.length - 6) * 0.06 : 1 + Math.max(0, text.length - 2) * 0.3;
  const phrase = text.length > 2 ? text.toLowerCase() : undefined;
  return { text, origin, weight, terms, size: Math.min(2.2, size), strictness: isKatakana ? 2.5 : 1, phrase };
}

/** A form of an English word, an identifier or a few words: each by itself, as written and as its stem. */
function latinForm(text: string, origin: FormOrigin, weight: number): Form {
  const { words } = collect(text);
  const isSingle = !/\s/u.test(text);
  const whole = text.toLowerCase();
  const parts = isSingle ? words : words.filter((word) => words.length === 1 || !isEnglishStopWord(word));
  const terms = parts.flatMap((term): FormTerm[] => {
    // A part of an identifier is little without the rest of it.
    const rest = isSingle && parts.length > 1 && term !== whole ? unitWeights.part : 1;
    return [
      { term, match: 'word', share: rest * unitWeights.exact },
      { term: englishStem(term), match: 'stem', share: rest * unitWeights.stem },
    ];
  });
  const size = isSingle ? 1 + Math.min(0.5, (parts.length - 1) * 0.15) : parts.length ** 0.6;
  return { text, origin, weight, terms, size, strictness: 1, phrase: parts.length > 1 ? whole : undefined };
}

/** A way to match any text, in whichever script. */
export function formOf(text: string, origin: FormOrigin, weight: number): Form {
  const isJapanese = [...text].some((one) => isUnspaced(one.charCodeAt(0)));
  return isJapanese ? japaneseForm(text, origin, weight) : latinForm(text, origin, weight);
}

/** A number in the other way to write it; a single digit stands in too many texts. */
export function numberForms(number: string | undefined): Form[] {
  return number === undefined || number.length < 2 ? [] : [formOf(number, 'spelling', unitWeights.variant)];
}
