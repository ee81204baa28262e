import { readFileSync } from 'node:fs';

/** What changes of a word in its forms: nothing, or how a verb or an adjective ends. */
export type Inflection = 'none' | 'ichidan' | 'godan' | 'adjective';

/** A Japanese word with what it means in English: senses, each with glosses, the most usual first. */
export interface Entry {
  readonly word: string;
  readonly reading: string | undefined;
  readonly inflection: Inflection;
  /** Whether EDICT marks it as one that is much used. */
  readonly isCommon: boolean;
  readonly senses: readonly (readonly string[])[];
}

const line = /^(\S+)(?: \[([^\]]+)\])? \/(.+)\/$/u;
const japanese = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々]{2,12}$/u;
/** Words that are no nouns, verbs, adjectives or adverbs, and those of other times, places or manners. */
const left =
  /\((?:[^)]*,)?(?:exp|int|prt|conj|pn|suf|pref|ctr|aux|aux-v|aux-adj|cop|cop-da|unc|arch|obs|obsc|vulg|X|sl|derog|fem|male|chn|place|surname|given|fem|masc|person|company|product|work|station|organization|num|Buddh|sumo|food|MA|bot|zool|anat|med|baseb|mahj|shogi|astron|chem|biol|geol|music|sports|Shinto|ksb:|joc|poet|rare|id|proverb|yoji)(?:,[^)]*)?\)/u;
const marks = /\((?:[^()]|\([^()]*\))*\)/gu;

/** A gloss as it would stand in a text; undefined where it explains rather than names. */
function glossOf(text: string): string | undefined {
  const plain = text
    .replaceAll(marks, ' ')
    .replaceAll(/\{[^}]*\}/gu, ' ')
    .toLowerCase()
    .replace(/^\s*(?:to be|to|a|an|the|being|be)\s+/u, '')
    .replaceAll(/[“”"]/gu, '')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  if (!/^[a-z][a-z0-9' /-]*$/u.test(plain) || plain.length < 2) return undefined;
  return plain.split(' ').length > 3 ? undefined : plain;
}

function inflectionOf(marks: string): Inflection {
  if (/\bv1\b/u.test(marks)) return 'ichidan';
  if (/\bv5/u.test(marks)) return 'godan';
  return /\badj-i\b/u.test(marks) ? 'adjective' : 'none';
}

/** Reads EDICT or COMPDIC (EUC-JP). Throws when the file cannot be read. */
export function readEdict(file: string): Entry[] {
  const text = new TextDecoder('euc-jp').decode(readFileSync(file));
  return text.split('\n').flatMap((each): Entry[] => {
    const [, written = '', reading, rest = ''] = line.exec(each) ?? [];
    const word = written.normalize('NFKC');
    if (!japanese.test(word)) return [];
    const parts = rest.split('/');
    const isCommon = parts.at(-1) === '(P)';
    const senses: string[][] = [];
    let isLeft = false;
    for (const part of isCommon ? parts.slice(0, -1) : parts) {
      const isNew = senses.length === 0 || /\(\d+\)/u.test(part);
      if (isNew) {
        isLeft = left.test(part);
        if (!isLeft) senses.push([]);
      }
      const gloss = glossOf(part);
      if (!isLeft && gloss !== undefined) senses.at(-1)?.push(gloss);
    }
    const full = senses.filter((sense) => sense.length > 0);
    if (full.length === 0) return [];
    return [{ word, reading, inflection: inflectionOf(parts[0] ?? ''), isCommon, senses: full }];
  });
}
