import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { englishStem } from '../src/elders/search/language/english-stem.ts';
import { soundOf } from '../src/elders/search/language/sound.ts';
import { type Entry, readEdict } from './words/edict.ts';
import { readIrregular, readWordNet } from './words/wordnet.ts';

/**
 * Makes the bilingual word book of the search engine from EDICT, COMPDIC and WordNet, as Debian's packages `edict` and
 * `wordnet-base` hold them: `node scripts/write-words.ts --edict FOLDER --wordnet FOLDER`.
 */
const { values } = parseArgs({
  options: {
    edict: { type: 'string', default: '/usr/share/edict' },
    wordnet: { type: 'string', default: '/usr/share/wordnet' },
  },
});

/** What a word has at most in the other language, and of its own. */
const most = { glosses: 6, rareGlosses: 3, words: 7, synonyms: 5 };
/** Below this a translation is one of many, and hardly what is meant. */
const leastScore = 0.2;
/** So many words must agree that two English ones are the same. */
const leastPivot = 0.45;

const target = join(import.meta.dirname, '../src/elders/search/language/words');
const segmenter = new Intl.Segmenter('ja', { granularity: 'word' });
const han = /\p{sc=Han}/u;
const hiragana = /^\p{sc=Hiragana}+$/u;

interface Known extends Entry {
  readonly isTarget: boolean;
}

/** The words that are kept: the common ones, those of computing, and rarer ones that are one word to ICU. */
function chosen(edict: readonly Entry[], compdic: readonly Entry[]): Known[] {
  const common = edict.filter(({ isCommon }) => isCommon);
  const glosses = new Set(common.flatMap(({ senses }) => senses.flat()));
  const rare = edict.filter(
    ({ word, isCommon, senses }) =>
      !isCommon &&
      han.test(word) &&
      word.length <= 3 &&
      [...segmenter.segment(word)].length === 1 &&
      /^\S+$/u.test(senses[0]?.[0] ?? '') &&
      glosses.has(senses[0]?.[0] ?? ''),
  );
  // Loan words are found by their sound.
  const computing = compdic.filter(({ word }) => han.test(word) && word.length <= 6);
  const found = new Map<string, Known>();
  const put = (entries: readonly Entry[], isTarget: boolean) => {
    for (const entry of entries) {
      const known = found.get(entry.word);
      found.set(entry.word, {
        ...entry,
        ...known,
        isTarget: isTarget || known?.isTarget === true,
        senses: [...(known?.senses ?? []), ...(isTarget || known === undefined ? entry.senses : [])],
      });
    }
  };
  put(computing, true);
  put(common, true);
  put(rare, false);
  return [...found.values()];
}

/** A word with `~` in front of what changes of it. */
function markedWord({ word, inflection }: Entry): string {
  return inflection === 'none' || !/[うくぐすつぬぶむるい]$/u.test(word)
    ? word
    : `${word.slice(0, -1)}~${word.slice(-1)}`;
}

/** Each gloss of a word with how much it is what the word means: the first of few senses most. */
function scoredGlosses({ senses }: Entry): [string, number][] {
  const found = new Map<string, number>();
  for (const [place, sense] of senses.entries()) {
    for (const [at, gloss] of sense.entries()) {
      const score = 1 / (1 + 0.5 * place) / (1 + 0.12 * at);
      found.set(gloss, Math.max(found.get(gloss) ?? 0, score));
    }
  }
  return [...found].sort(([, a], [, b]) => b - a);
}

function best(scores: ReadonlyMap<string, number>, count: number, least: number): string[] {
  return [...scores]
    .filter(([, score]) => score >= least)
    .sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1))
    .slice(0, count)
    .map(([word]) => word);
}

/** Of several words for one meaning, a text on things of work has the Sino-Japanese noun more often than the verb. */
function use({ word, inflection }: Entry): number {
  if (inflection !== 'none') return 0.8;
  return /^\p{sc=Han}{2}$/u.test(word) ? 1 : 0.75;
}

const words = chosen(readEdict(join(values.edict, 'edict')), readEdict(join(values.edict, 'compdic')));
const add = (to: Map<string, Map<string, number>>, from: string, word: string, score: number) => {
  const scores = to.get(from) ?? new Map<string, number>();
  scores.set(word, (scores.get(word) ?? 0) + score);
  to.set(from, scores);
};
const toJapanese = new Map<string, Map<string, number>>();
const toEnglish = new Map<string, Map<string, number>>();
const wordsOf = new Map<string, number>();
for (const entry of words) {
  const glosses = scoredGlosses(entry);
  const marked = markedWord(entry);
  for (const [gloss, score] of glosses) {
    wordsOf.set(gloss, (wordsOf.get(gloss) ?? 0) + 1);
    if (entry.isTarget && !hiragana.test(entry.word))
      add(toJapanese, gloss, marked, (score * use(entry)) / Math.max(1, glosses.length / 3) ** 0.25);
  }
  if (!entry.isTarget) continue;
  for (const sense of entry.senses)
    for (const gloss of sense)
      for (const other of sense)
        if (englishStem(gloss) !== englishStem(other) && !other.includes(' '))
          add(toEnglish, gloss, other, 1 / (1 + sense.length));
}
const japanese: string[] = [];
for (const entry of words) {
  // What only one word means, in three words, is no way to say it.
  const glosses = scoredGlosses(entry)
    .filter(([gloss]) => gloss.split(' ').length < 3 || (wordsOf.get(gloss) ?? 0) > 1)
    .slice(0, entry.isTarget ? most.glosses : most.rareGlosses)
    .map(([gloss, score]) => `${gloss}${score >= 0.6 ? '' : '?'}`);
  if (glosses.length > 0) japanese.push(`${entry.word}=${glosses.join(',')}`);
}
const wordNet = readWordNet(values.wordnet);
/** English words of one family, by the stem of each: approval of approve. */
const families = new Map<string, Map<string, number>>();
const relate = (one: string, gloss: string, share: number) => {
  if (gloss.includes(' ') || !toJapanese.has(gloss)) return;
  const members = families.get(englishStem(one)) ?? new Map<string, number>();
  members.set(gloss, Math.max(members.get(gloss) ?? 0, share));
  families.set(englishStem(one), members);
};
for (const gloss of toJapanese.keys()) relate(gloss, gloss, 0.8);
for (const [word, { family }] of wordNet)
  for (const other of family) {
    relate(word, other, 0.7);
    relate(other, word, 0.7);
  }
/** Japanese words for an English one, also by what its family means. */
function translationsOf(key: string): string[] {
  const scores = new Map<string, number>(toJapanese.get(key) ?? []);
  for (const [other, share] of families.get(englishStem(key)) ?? []) {
    if (other === key) continue;
    for (const [word, score] of toJapanese.get(other) ?? [])
      scores.set(word, Math.max(scores.get(word) ?? 0, score * share));
  }
  const sound = soundOf(key);
  const byStem = new Set<string>();
  const usual = [...scores]
    .sort(([, a], [, b]) => b - a)
    .filter(([word]) => {
      // A loan word is found by its sound.
      if (sound !== undefined && soundOf(word) === sound) return false;
      const stem = word.split('~')[0] ?? word;
      if (byStem.has(stem)) return false;
      byStem.add(stem);
      return true;
    });
  return best(new Map(usual), most.words, leastScore);
}
const irregularForms = readIrregular(values.wordnet);
const formsOf = new Map<string, string[]>();
for (const [form, lemma] of irregularForms) formsOf.set(lemma, [...(formsOf.get(lemma) ?? []), form]);
const irregular = [...new Map(irregularForms)].map(([form, lemma]) => `${form}=${lemma}`);
const english: string[] = [];
for (const key of new Set([...toJapanese.keys(), ...wordNet.keys()])) {
  if (key.split(' ').length > 2) continue;
  const scores = new Map([...(toEnglish.get(key) ?? [])].filter(([word]) => word !== key));
  const net = wordNet.get(key);
  for (const word of net?.synonyms ?? []) scores.set(word, (scores.get(word) ?? 0) + 1);
  for (const word of net?.family ?? []) scores.set(word, (scores.get(word) ?? 0) + 0.5);
  const synonyms = best(scores, most.synonyms, leastPivot);
  const translations = translationsOf(key);
  const forms = formsOf.get(key) ?? [];
  if (synonyms.length + translations.length + forms.length === 0) continue;
  english.push(
    `${key}=${[translations, synonyms, forms]
      .map((one) => one.join(','))
      .join('=')
      .replace(/=$/u, '')}`,
  );
}

/** Sorted by bytes, so that a word is found by halving. */
function write(file: string, lines: readonly string[]): void {
  const keyOf = (line: string) => Buffer.from(line.slice(0, line.indexOf('=')));
  const sorted = [...lines].sort((a, b) => Buffer.compare(keyOf(a), keyOf(b)));
  writeFileSync(join(target, file), `${sorted.join('\n')}\n`);
}

mkdirSync(target, { recursive: true });
write('japanese.txt', japanese);
write('english.txt', english);
write('irregular.txt', irregular);
process.stderr.write(
  `${japanese.length} Japanese, ${english.length} English words, ${irregular.length} irregular forms\n`,
);
