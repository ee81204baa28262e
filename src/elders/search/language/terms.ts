import { englishStem } from './english-stem.ts';
import { Script, scriptOf } from './scripts.ts';

/** Names what `eachTerm` yields: an index made by another version, or another ICU dictionary, is made anew. */
export const analyzerVersion = `3+icu${process.versions.icu ?? '0'}`;

/**
 * What a term is: a word as written (also whole identifiers and katakana words), the stem of an English word where
 * it differs, or a pair of Japanese characters (a single one where a run of ideographs ends).
 */
export type TermKind = 'word' | 'stem' | 'gram';

/** Receives a term in lower case with its place in the text. */
export type TermVisitor = (term: string, kind: TermKind, start: number, end: number) => void;

/** Longer words are data (hashes, base64), not language. */
const longestWord = 64;
const camelPart = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[A-Z][a-z0-9]*|[0-9]+/gu;
const hasCamel = /[a-z0-9][A-Z]|[A-Z]{2}[a-z]/u;
const camelPlural = /^[A-Z]{2,}s$/u;
/** 10ms, 512MB: some write the unit apart. */
const quantity = /^(\d+)([A-Za-z]{1,3})$/u;

function word(text: string, start: number, end: number, visit: TermVisitor): void {
  const lower = text.toLowerCase();
  visit(lower, 'word', start, end);
  const stem = englishStem(lower);
  if (stem !== lower) visit(stem, 'stem', start, end);
}

function identifierPart(text: string, start: number, visit: TermVisitor): void {
  const [, number, unit] = quantity.exec(text) ?? [];
  if (number !== undefined && unit !== undefined) {
    visit(text.toLowerCase(), 'word', start, start + text.length);
    visit(number, 'word', start, start + number.length);
    visit(unit.toLowerCase(), 'word', start + number.length, start + text.length);
    return;
  }
  if (!hasCamel.test(text) || camelPlural.test(text)) {
    word(text, start, start + text.length, visit);
    return;
  }
  visit(text.toLowerCase(), 'word', start, start + text.length);
  for (const match of text.matchAll(camelPart)) {
    const [part] = match;
    if (part.length > 1) word(part, start + match.index, start + match.index + part.length, visit);
  }
}

const underscore = 0x5f;

function isConnector(code: number): boolean {
  return code === 0x2d || code === 0x2e;
}

/** Visits a run of letters and digits with its connectors, whole and in parts; gives its end. */
function latinRun(text: string, start: number, visit: TermVisitor): number {
  let end = start + 1;
  // An underscore in front is emphasis in Markdown and privacy in code; the word itself is behind it.
  let compound = text.charCodeAt(start) === underscore;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (scriptOf(code) === Script.word) {
      if (code === underscore) compound = true;
      end += 1;
    } else if (
      isConnector(code) &&
      end + 1 < text.length &&
      scriptOf(text.charCodeAt(end + 1)) === Script.word
    ) {
      compound = true;
      end += 1;
    } else {
      break;
    }
  }
  if (!compound) {
    // c++, c#, f#: the sign is part of the name.
    const tail = end - start === 1 ? /^(?:\+\+|#)(?![\w+#])/u.exec(text.slice(end, end + 3))?.[0] : undefined;
    if (tail !== undefined)
      visit(text.slice(start, end + tail.length).toLowerCase(), 'word', start, end + tail.length);
    if (end - start <= longestWord) identifierPart(text.slice(start, end), start, visit);
    return end;
  }
  const whole = text.slice(start, end);
  const parts = [...whole.matchAll(/[^._-]+/gu)];
  if (whole.length <= longestWord && parts.length > 1) visit(whole.toLowerCase(), 'word', start, end);
  for (const part of parts) {
    if (part[0].length <= longestWord) identifierPart(part[0], start + part.index, visit);
  }
  return end;
}

/** A katakana word without the long mark at its end, which writers leave out at will (サーバ, サーバー). */
export function katakanaWord(text: string): string {
  return text.length >= 4 && text.endsWith('ー') ? text.slice(0, -1) : text;
}

function pairs(text: string, start: number, end: number, visit: TermVisitor): void {
  for (let at = start; at + 1 < end; at += 1) visit(text.slice(at, at + 2), 'gram', at, at + 2);
}

const segmenter = new Intl.Segmenter('ja', { granularity: 'word' });
const contentWord = /[\p{sc=Han}\p{sc=Katakana}]/u;

/** Visits what characters tell of a Japanese run; `runs` takes those that hold words besides. */
function japaneseRun(text: string, start: number, end: number, runs: number[], visit: TermVisitor): void {
  let at = start;
  let mixed = false;
  while (at < end) {
    const script = scriptOf(text.charCodeAt(at));
    let next = at + 1;
    while (next < end) {
      const code = text.charCodeAt(next);
      if (scriptOf(code) !== script && !(script === Script.hiragana && code === 0x30fc)) break;
      next += 1;
    }
    if (at > start || next < end) mixed = true;
    pairs(text, at, next, visit);
    if (script === Script.ideograph) {
      visit(text.slice(next - 1, next), 'gram', next - 1, next);
      // The first kana after a kanji tells verbs apart: 止ま, 落と.
      if (next < end && scriptOf(text.charCodeAt(next)) === Script.hiragana) {
        visit(text.slice(next - 1, next + 1), 'gram', next - 1, next + 1);
      }
    } else if (script === Script.katakana) {
      const whole = katakanaWord(text.slice(at, next));
      if (whole.length > 1) visit(whole, 'word', at, next);
      else visit(whole, 'gram', at, next);
    }
    at = next;
  }
  const length = end - start;
  if (length < 2) return;
  const script = scriptOf(text.charCodeAt(start));
  if (!mixed && length === 2) {
    if (script === Script.ideograph) visit(text.slice(start, end), 'word', start, end);
    return;
  }
  if (!mixed && script === Script.hiragana && length < 3) return;
  runs.push(start, end);
}

/** Visits the words inside of Japanese runs: all runs of a text in one call of the segmenter, whose calls are dear. */
function japaneseWords(text: string, runs: readonly number[], visit: TermVisitor): void {
  let joined = '';
  for (let at = 0; at < runs.length; at += 2) joined += `${text.slice(runs[at], runs[at + 1])}\n`;
  let run = 0;
  let start = runs[0] ?? 0;
  let runStart = start;
  for (const { segment } of segmenter.segment(joined)) {
    if (segment === '\n') {
      run += 2;
      start = runs[run] ?? 0;
      runStart = start;
      continue;
    }
    const end = start + segment.length;
    if (segment.length > 1 && (segment.length > 2 || contentWord.test(segment))) {
      const isKatakana = scriptOf(segment.charCodeAt(0)) === Script.katakana;
      // A run of katakana alone is a word already.
      if (!isKatakana || start !== runStart || end !== runs[run + 1]) {
        visit(isKatakana ? katakanaWord(segment) : segment, 'word', start, end);
      }
    }
    start = end;
  }
}

/** Visits every term of a normalized text (see `normalize`). */
export function eachTerm(text: string, visit: TermVisitor): void {
  const runs: number[] = [];
  let at = 0;
  while (at < text.length) {
    const script = scriptOf(text.charCodeAt(at));
    if (script === Script.none) {
      at += 1;
    } else if (script === Script.word) {
      at = latinRun(text, at, visit);
    } else {
      let end = at + 1;
      while (end < text.length && scriptOf(text.charCodeAt(end)) >= Script.ideograph) end += 1;
      japaneseRun(text, at, end, runs, visit);
      at = end;
    }
  }
  if (runs.length > 0) japaneseWords(text, runs, visit);
}
