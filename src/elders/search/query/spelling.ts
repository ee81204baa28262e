import leven from 'leven';
import type { SearchIndex } from '../full-text/search-index.ts';
import { englishStem } from '../language/english-stem.ts';
import { plainKatakana, soundOf } from '../language/sound.ts';
import { katakanaWord } from '../language/terms.ts';
import { formOf } from './forms.ts';
import type { Postings } from './postings.ts';
import type { Form, Unit } from './unit.ts';

const latin = /^[a-z]{4,24}$/u;
const katakana = /^[\u30a1-\u30fa\u30fc]{3,24}$/u;
const mostWords = 3;
const soundWeight = 0.55;
const spellingWeight = 0.75;
/** インタフェース for インターフェイス. */
const variantWeight = 0.95;

/** How many letters may be wrong in a word of this length. */
function tolerance(length: number): number {
  return length >= 8 ? 2 : 1;
}

/** Words of the index that begin with `start` and are spelt nearly like `word`. */
function near(index: SearchIndex, word: string, start: string): { term: string; distance: number }[] {
  const most = tolerance(word.length);
  const rows = index
    .statement(
      'SELECT term FROM spelling WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ? LIMIT 20000',
    )
    .all(start, `${start}\u{10ffff}`, word.length - most, word.length + most);
  return rows.flatMap((row) => {
    const term = String(row.term);
    const distance = leven(term, word);
    return distance > 0 && distance <= most ? [{ term, distance }] : [];
  });
}

/** Words of the index that a word which it does not hold may have meant. */
function corrections(index: SearchIndex, word: string): string[] {
  const swapped = `${word[1] ?? ''}${word[0] ?? ''}`;
  const starts = new Set([word.slice(0, 2), swapped, word.slice(1, 3)]);
  const found = new Map<string, number>();
  for (const start of starts)
    for (const { term, distance } of near(index, word, start)) found.set(term, distance);
  return [...found]
    .sort(([, a], [, b]) => a - b)
    .map(([term]) => term)
    .slice(0, mostWords);
}

/** Words that sound alike. */
function soundalikes(index: SearchIndex, word: string): string[] {
  const sound = soundOf(word);
  if (sound === undefined) return [];
  return index
    .statement("SELECT term FROM spelling WHERE sound = ? AND sound <> '' LIMIT 200")
    .all(sound)
    .map((row) => String(row.term))
    .filter((term) => term !== word);
}

/** Adds ways to match words that are misspelt, and loan words written in the other script. */
export function withSpelling(index: SearchIndex, units: readonly Unit[], postings: Postings): Unit[] {
  return units.map((unit) => {
    const word = katakanaWord(unit.text.toLowerCase());
    if (!latin.test(word) && !katakana.test(word)) return unit;
    // What the vocabulary translates needs no guess by few sounds.
    const isTranslated = unit.forms.some(({ origin }) => origin === 'translation' || origin === 'dictionary');
    const alike = soundalikes(index, word);
    const isLatin = latin.test(word);
    const loans =
      isTranslated && (soundOf(word)?.length ?? 0) < 4
        ? []
        : alike.filter((term) => latin.test(term) !== isLatin).slice(0, mostWords);
    const variants = isLatin ? [] : alike.filter((term) => plainKatakana(term) === plainKatakana(word));
    const forms: Form[] = [
      ...loans.map((term) => formOf(term, 'sound', soundWeight)),
      ...variants.slice(0, mostWords).map((term) => formOf(term, 'spelling', variantWeight)),
    ];
    const isKnown = postings.frequency(word) > 0 || postings.frequency(englishStem(word)) > 0;
    if (!isKnown)
      forms.push(...corrections(index, word).map((term) => formOf(term, 'spelling', spellingWeight)));
    return forms.length === 0 ? unit : { ...unit, forms: [...unit.forms, ...forms] };
  });
}
