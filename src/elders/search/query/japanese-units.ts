import type { ConceptTable } from '../language/concepts.ts';
import { numberIn } from '../language/numerals.ts';
import { Script, scriptOf } from '../language/scripts.ts';
import { isGeneralJapanese } from '../language/stop-words.ts';
import { besideKnown, bookWords, formsOfJapanese } from './book-forms.ts';
import { expansions } from './expansions.ts';
import { formOf, numberForms, unitWeights } from './forms.ts';
import type { Form, Unit } from './unit.ts';

/** Divides a Japanese run into stretches of one script, with an okurigana kept by its ideographs. */
function stretches(run: string): string[] {
  const found: string[] = [];
  let at = 0;
  while (at < run.length) {
    const script = scriptOf(run.charCodeAt(at));
    let end = at + 1;
    while (end < run.length && (scriptOf(run.charCodeAt(end)) === script || run[end] === 'ー')) end += 1;
    found.push(run.slice(at, end));
    at = end;
  }
  return found;
}

/** Whether a word ends at a place of a run: katakana goes on to the end of its stretch. */
function isBoundary(run: string, at: number): boolean {
  const isKatakana = (code: number) => scriptOf(code) === Script.katakana;
  return (
    at === 0 || at >= run.length || !isKatakana(run.charCodeAt(at - 1)) || !isKatakana(run.charCodeAt(at))
  );
}

/** The longest entry of a concept table at a place of a run; undefined without any. */
function entryAt(run: string, at: number, tables: readonly ConceptTable[]): string | undefined {
  if (!isBoundary(run, at)) return undefined;
  const longest = Math.max(...tables.map((table) => table.longestJapanese));
  for (let length = Math.min(longest, run.length - at); length > 1; length -= 1) {
    if (!isBoundary(run, at + length)) continue;
    const word = run.slice(at, at + length);
    if (tables.some((table) => table.of(word).length > 0)) return word;
  }
  return undefined;
}

interface Entry {
  readonly start: number;
  readonly end: number;
  readonly word: string;
}

/** What the concept tables know of a run, from left to right, the longest first. */
function entriesOf(run: string, tables: readonly ConceptTable[]): Entry[] {
  const found: Entry[] = [];
  for (let at = 0; at < run.length; at += 1) {
    const word = entryAt(run, at, tables);
    if (word === undefined) continue;
    found.push({ start: at, end: at + word.length, word });
    at += word.length - 1;
  }
  return found;
}

/** Kana inside of a word that writers leave out at will; particles between two words are none. */
const okuriganaInside = /(\p{sc=Han})[きぎしちみりいえけげせてべめれ]{1,2}(\p{sc=Han})/gv;

/** The same words without the kana inside: 取消 for 取り消し. */
function withoutOkurigana(run: string, start: number, end: number): Form[] {
  return [...run.matchAll(okuriganaInside)]
    .filter(({ index }) => index >= start && index < end)
    .map((match) => formOf(`${match[1]}${match[2]}`, 'spelling', unitWeights.variant));
}

/** What a Japanese run asks for. */
export function japaneseUnits(run: string, tables: readonly ConceptTable[]): Unit[] {
  const units: Unit[] = [];
  const entries = entriesOf(run, tables);
  const fromBook = (from: number, end: number): Form[] =>
    bookWords(run, from, end, (at) => isBoundary(run, at)).flatMap(formsOfJapanese);
  const unitOf = ({ word, start, end }: Entry, weight: number): Unit => ({
    text: word,
    weight,
    forms: [
      formOf(word, 'query', 1),
      ...withoutOkurigana(run, start, end),
      ...besideKnown(expansions(word, tables, 'japanese'), fromBook(start, end)),
    ],
  });
  const parts = stretches(run);
  let start = 0;
  parts.forEach((part, index) => {
    const end = start + part.length;
    const from = start;
    start = end;
    // A word that spans several scripts (終了コード, 乗っ取り) is one thing.
    const spanning = entries.find(
      (entry) => entry.start <= from && entry.end >= end && entry.end - entry.start > part.length,
    );
    if (spanning !== undefined) {
      if (spanning.start === from) units.push(unitOf(spanning, 1));
      return;
    }
    const script = scriptOf(part.charCodeAt(0));
    const next = parts[index + 1];
    if (script === Script.hiragana) {
      if (part.length > 1)
        units.push({ text: part, weight: unitWeights.hiragana, forms: [formOf(part, 'query', 1)] });
      return;
    }
    // 止ま of 止まった: the first kana belongs to the word.
    const okurigana =
      script === Script.ideograph && next !== undefined && part.length <= 2 ? (next[0] ?? '') : '';
    const isKana = okurigana !== '' && scriptOf(okurigana.charCodeAt(0)) === Script.hiragana;
    const text = isKana && part.length === 1 ? part + okurigana : part;
    const weight = isGeneralJapanese(part) ? unitWeights.general : part.length === 1 ? unitWeights.single : 1;
    const inside = entries.filter((entry) => entry.start < end && entry.end > from);
    const forms = inside.flatMap(({ word }) => expansions(word, tables, 'japanese'));
    units.push({
      text,
      weight,
      forms: [
        formOf(text, 'query', 1),
        ...numberForms(numberIn(run.slice(from))),
        ...withoutOkurigana(run, from, end),
        ...besideKnown(forms, fromBook(from, end)),
      ],
      ...(inside.length > 1 && {
        constituents: inside.map((entry) => unitOf(entry, unitWeights.constituents / inside.length)),
      }),
    });
  });
  return units;
}
