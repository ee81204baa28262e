import { englishStem } from '../language/english-stem.ts';
import { Script, scriptOf } from '../language/scripts.ts';
import type { Form, FormTerm } from './unit.ts';

/** A text made ready to look for terms in. */
export interface Searchable {
  /** Normalized, as written: upper case tells the parts of an identifier. */
  readonly text: string;
  /** The same in lower case and of the same length. */
  readonly lower: string;
}

/** Makes a normalized text ready. */
export function searchable(text: string): Searchable {
  const lower = text.toLowerCase();
  return lower.length === text.length ? { text, lower } : { text: lower, lower };
}

const underscore = 0x5f;

function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isWord(code: number): boolean {
  return code !== underscore && scriptOf(code) === Script.word;
}

/** Whether a word, or a part of an identifier, begins here. */
function beginsAt(text: string, at: number): boolean {
  if (at === 0) return true;
  const before = text.charCodeAt(at - 1);
  if (!isWord(before)) return true;
  const code = text.charCodeAt(at);
  // The unit behind a number: 10ms.
  if (isDigit(before) && !isDigit(code)) return true;
  return isUpper(code) && (!isUpper(before) || !isUpper(text.charCodeAt(at + 1)));
}

/** Where the word, or the part of an identifier, that goes on here ends. */
function endFrom(text: string, from: number): number {
  let at = from;
  while (at < text.length && isWord(text.charCodeAt(at)) && !(at > 0 && beginsAt(text, at))) at += 1;
  return at;
}

function endsAt(text: string, at: number): boolean {
  return at >= text.length || !isWord(text.charCodeAt(at)) || beginsAt(text, at);
}

/** The beginning that a stem shares with every word of its family (Porter writes modifi for modify). */
function sharedStart(stem: string): string {
  return stem.length > 3 && stem.endsWith('i') ? stem.slice(0, -1) : stem;
}

/** Calls `visit` with the place of each of the first `most` occurrences of a term. */
export function eachOccurrence(
  { text, lower }: Searchable,
  { term, match }: Pick<FormTerm, 'term' | 'match'>,
  most: number,
  visit: (start: number, end: number) => void,
): void {
  const wanted = match === 'stem' ? sharedStart(term) : term;
  if (wanted === '') return;
  let found = 0;
  for (let at = lower.indexOf(wanted); at !== -1 && found < most; at = lower.indexOf(wanted, at + 1)) {
    let end = at + wanted.length;
    if (match !== 'anywhere') {
      if (!beginsAt(text, at)) continue;
      if (match === 'word') {
        if (!endsAt(text, end)) continue;
      } else {
        const wordEnd = endFrom(text, end);
        if (match === 'stem' && englishStem(lower.slice(at, wordEnd)) !== term) continue;
        end = wordEnd;
      }
    }
    found += 1;
    visit(at, end);
  }
}

/** How often a term stands in a text, `most` at most. */
export function countOccurrences(
  text: Searchable,
  term: Pick<FormTerm, 'term' | 'match'>,
  most: number,
): number {
  let count = 0;
  eachOccurrence(text, term, most, () => {
    count += 1;
  });
  return count;
}

/**
 * Calls `visit` with the places that speak of a form: where it stands whole, those alone; otherwise its parts, except
 * for parts of one katakana word, which are parts of any other.
 */
export function eachPlaceOf(
  form: Form,
  text: Searchable,
  most: number,
  visit: (start: number, end: number) => void,
): void {
  let isWhole = false;
  if (form.phrase !== undefined) {
    eachOccurrence(text, { term: form.phrase, match: 'anywhere' }, most, (start, end) => {
      isWhole = true;
      visit(start, end);
    });
  }
  if (isWhole) return;
  for (const term of form.terms) {
    if (form.strictness === 1 || term.term.length > 2) eachOccurrence(text, term, most, visit);
  }
}
