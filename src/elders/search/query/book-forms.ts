import { englishStem } from '../language/english-stem.ts';
import { dictionaryForms, usualForms } from '../language/verb-forms.ts';
import { wordBook } from '../language/word-book.ts';
import { formOf } from './forms.ts';
import type { Form, FormOrigin } from './unit.ts';

/** How much a word of the book counts beside the word that was asked for. */
const bookWeights = {
  translation: 0.7,
  /** Another word of the same language. */
  synonym: 0.3,
  /** A Japanese word with which one English word is shared, or several. */
  pivot: 0.3,
  pivots: 0.45,
  irregular: 0.9,
} as const;

const mostTranslations = 5;
const mostSynonyms = 4;
/** What is left of that where a vocabulary of the field knows the word: the book then has its other meanings. */
const knownShare = 0.6;
/** The longest Japanese word that is looked up. */
const longestWord = 8;

const written = /^(?=.*\p{sc=Han})|^[\p{sc=Katakana}ー]+$/u;
const inflected = /\p{sc=Han}\p{sc=Hiragana}{1,3}$/u;

/** A Japanese word of the book as it is looked for in texts. */
function japaneseForms(marked: string, origin: FormOrigin, weight: number): Form[] {
  const [stem = '', ending] = marked.split('~');
  const texts = ending === undefined || stem.length > 1 ? [stem] : usualForms(stem, ending);
  return texts.map((text) => formOf(text, origin, weight));
}

/** The longest word of the book that begins at a place of a Japanese run, with its length there. */
function wordAt(run: string, at: number): { word: string; length: number } | undefined {
  const book = wordBook();
  for (let length = Math.min(longestWord, run.length - at); length > 1; length -= 1) {
    const form = run.slice(at, at + length);
    if (!written.test(form)) continue;
    if (book.hasJapanese(form)) return { word: form, length };
    const word = inflected.test(form)
      ? dictionaryForms(form).find((one) => book.hasJapanese(one))
      : undefined;
    if (word !== undefined) return { word, length };
  }
  return undefined;
}

/** The words of the book that begin in a stretch of a Japanese run, in their dictionary forms. */
export function bookWords(
  run: string,
  from: number,
  end: number,
  isBoundary: (at: number) => boolean,
): string[] {
  const found: string[] = [];
  for (let at = from; at < end; at += 1) {
    const known = isBoundary(at) ? wordAt(run, at) : undefined;
    if (known === undefined) continue;
    found.push(known.word);
    at += known.length - 1;
  }
  return found;
}

/** Other ways to say a Japanese word, given in its dictionary form. */
export function formsOfJapanese(word: string): Form[] {
  const book = wordBook();
  const glosses = book.japanese(word).slice(0, mostTranslations);
  const sharing = new Map<string, number>();
  for (const { word: gloss } of glosses)
    for (const other of book.english(gloss)?.japanese ?? [])
      if (other.replace('~', '') !== word) sharing.set(other, (sharing.get(other) ?? 0) + 1);
  const synonyms = [...sharing].sort(([, a], [, b]) => b - a).slice(0, mostSynonyms);
  return [
    ...glosses.map((gloss) => formOf(gloss.word, 'translation', bookWeights.translation * gloss.share)),
    ...synonyms.flatMap(([other, count]) =>
      japaneseForms(other, 'synonym', count > 1 ? bookWeights.pivots : bookWeights.pivot),
    ),
  ];
}

/** The form of an English word that the book may hold. */
function englishKeys(word: string): string[] {
  const bare = word.replace(/(?:ed|ing)$/u, '');
  return [
    word,
    word.replace(/ies$/u, 'y'),
    word.replace(/s$/u, ''),
    word.replace(/es$/u, ''),
    bare,
    `${bare}e`,
    bare.replace(/(.)\1$/u, '$1'),
  ];
}

/** Other ways to say an English word or phrase in lower case. */
export function formsOfEnglish(word: string): Form[] {
  const book = wordBook();
  const lemma = book.lemma(word);
  const lemmas = lemma === undefined ? [] : [lemma];
  const key = [...lemmas, ...englishKeys(word)].find((one) => book.english(one) !== undefined);
  const entry = key === undefined ? undefined : book.english(key);
  const irregular = [...lemmas, ...(entry?.irregular ?? [])].filter(
    (one) => englishStem(one) !== englishStem(word),
  );
  return [
    ...irregular.map((one) => formOf(one, 'spelling', bookWeights.irregular)),
    ...(entry?.english ?? [])
      .slice(0, mostSynonyms)
      .map((one) => formOf(one, 'synonym', bookWeights.synonym)),
    ...(entry?.japanese ?? [])
      .slice(0, mostTranslations)
      .flatMap((one) => japaneseForms(one, 'translation', bookWeights.translation)),
  ];
}

/** The forms of the book beside those that a vocabulary of the field gives, less where it gives some. */
export function besideKnown(known: readonly Form[], book: readonly Form[]): Form[] {
  if (known.length === 0) return [...book];
  const texts = new Set(known.map(({ text }) => text));
  const others = book
    .filter(({ text }) => !texts.has(text))
    .map((form) => ({ ...form, weight: form.weight * knownShare }));
  return [...known, ...others];
}
