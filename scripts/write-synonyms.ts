import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { soundOf } from '../src/elders/search/language/sound.ts';

/**
 * Makes the general vocabulary of the search engine from the synonym dictionary of Sudachi: groups of general words, of
 * computing and of business, without names, animals, places and the like.
 */

/** What is used of the dictionary, in its own words. */
interface SudachiWord {
  /** Noun or verb. */
  readonly taigenYogen: string;
  /** 0: may be expanded; 1: only the other way round; 2: never. */
  readonly expandControl: number;
  /** Fields of knowledge. */
  readonly bunya: readonly string[];
  readonly midashi: string;
}
interface SudachiGroup {
  readonly items: readonly SudachiWord[];
}

const fields = new Set(['', 'IT', 'ビジネス', '単位', '法律', '教育', 'HR']);
const target = join(import.meta.dirname, '../src/elders/search/language/general-concepts.ts');
const japanese = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々]+$/u;

function fieldsOf({ bunya }: SudachiWord): string[] {
  return bunya.length === 0 ? [''] : bunya.flatMap((field) => field.split('/'));
}

/** A word as the table takes it: verbs and adjectives without the kana that changes. */
function wordOf({ midashi, taigenYogen }: SudachiWord): string | undefined {
  const word = midashi.normalize('NFKC').toLowerCase().trim();
  if (/[,、=#]/u.test(word) || word.length > 24) return undefined;
  if (/^[\x20-\x7e]+$/u.test(word)) return word.length < 2 || word.split(' ').length > 4 ? undefined : word;
  if (!japanese.test(word)) return undefined;
  const isPlain = taigenYogen !== '用言';
  if (!isPlain && !/\p{sc=Han}/u.test(word)) return undefined;
  const stem = isPlain ? word : word.replace(/[うくぐすつぬぶむるい]$/u, '');
  // A few kana stand in too many words by chance.
  const least = /^\p{sc=Hiragana}+$/u.test(stem) ? 4 : 2;
  return stem.length < least ? undefined : stem;
}

function lineOf({ items }: SudachiGroup): string | undefined {
  const found = new Set(items.flatMap(fieldsOf));
  if (!found.has('IT') && [...found].some((field) => !fields.has(field))) return undefined;
  // What is expanded only the other way round has other meanings besides.
  const words = new Set(
    items.filter((item) => item.expandControl === 0).flatMap((item) => wordOf(item) ?? []),
  );
  if (words.size < 2) return undefined;
  // The same loan word in both scripts is found by its sound.
  const sounds = new Set([...words].map((word) => (word.includes(' ') ? undefined : soundOf(word))));
  const isLoanWord = [...words].every((word) => /^(?:[a-z]+|[\p{sc=Katakana}ー]+)$/u.test(word));
  if (isLoanWord && sounds.size === 1 && !sounds.has(undefined)) return undefined;
  const side = (isJapanese: boolean) =>
    [...words].filter((word) => japanese.test(word) === isJapanese).join(',');
  return `${side(true)}=${side(false)}`;
}

const require = createRequire(import.meta.url);
const entry = require.resolve('sudachi-synonyms-dictionary');
const { version } = JSON.parse(readFileSync(join(dirname(entry), 'package.json'), 'utf8')) as {
  version: string;
};
const groups = JSON.parse(
  readFileSync(join(dirname(entry), 'sudachi-synonyms-dictionary.json'), 'utf8'),
) as SudachiGroup[];
const lines = groups.flatMap((group) => lineOf(group) ?? []);
writeFileSync(
  target,
  `/*!
 * Made by scripts/write-synonyms.ts from the Sudachi synonym dictionary (sudachi-synonyms-dictionary ${version}),
 * Copyright (c) 2017 Works Applications Co., Ltd., licensed under the Apache License, Version 2.0
 * (http://www.apache.org/licenses/LICENSE-2.0); a selection, with verbs cut to what their forms share.
 */
/** General vocabulary, Japanese = English, one meaning a line. */
export const generalConcepts = \`
${lines.join('\n')}
\`;
`,
);
process.stderr.write(`${lines.length} meanings\n`);
