import type { ConceptTable } from '../language/concepts.ts';
import { englishStem } from '../language/english-stem.ts';
import { isUnspaced, Script, scriptOf } from '../language/scripts.ts';
import { isEnglishStopWord, isGeneralJapanese, withoutQuestionPhrases } from '../language/stop-words.ts';
import { eachTerm } from '../language/terms.ts';
import type { Form, FormOrigin, FormTerm, Unit } from './unit.ts';

/** How much each kind of evidence counts beside a word of the query itself. */
export const unitWeights = {
  /** Kana alone: endings and particles more often than words. */
  hiragana: 0.2,
  /** A single ideograph between kana. */
  single: 0.6,
  general: 0.35,
  /** A compound whose parts are known, and each of them: so a text that says them apart is found too. */
  compound: 0.6,
  constituent: 0.6,
  synonym: 0.6,
  translation: 0.7,
  dictionary: 0.8,
  /** Share of the words that the ICU dictionary sees, beside the pairs of characters. */
  word: 1,
  /** Shares of an English word as written and of its stem, which add up where both are met. */
  exact: 0.2,
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

/** Ways to say a word that are looked for at most: each costs look-ups. */
const mostExpansions = 12;

/** Other ways to say a word; `tables` by how much they are to be trusted, that of the project first. */
function expansions(word: string, tables: readonly ConceptTable[], own: 'japanese' | 'english'): Form[] {
  const forms = new Map<string, Form>();
  tables.forEach((table, index) => {
    for (const concept of table.of(word)) {
      for (const language of ['japanese', 'english'] as const) {
        for (const other of concept[language]) {
          if (other === word || forms.has(other)) continue;
          const origin = index === 0 ? 'dictionary' : language === own ? 'synonym' : 'translation';
          forms.set(other, formOf(other, origin, unitWeights[origin] * table.share));
        }
      }
    }
  });
  return [...forms.values()].slice(0, mostExpansions);
}

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

function japaneseUnits(run: string, tables: readonly ConceptTable[]): Unit[] {
  const units: Unit[] = [];
  const entries = entriesOf(run, tables);
  const unitOf = ({ word }: Entry, weight: number): Unit => ({
    text: word,
    weight,
    forms: [formOf(word, 'query', 1), ...expansions(word, tables, 'japanese')],
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
    if (inside.length > 1) {
      units.push({ text, weight: unitWeights.compound, forms: [formOf(text, 'query', 1)] });
      for (const entry of inside) units.push(unitOf(entry, unitWeights.constituent));
      return;
    }
    const forms = inside.flatMap(({ word }) => expansions(word, tables, 'japanese'));
    units.push({ text, weight, forms: [formOf(text, 'query', 1), ...forms] });
  });
  return units;
}

function englishUnits(words: readonly string[], tables: readonly ConceptTable[]): Unit[] {
  const units: Unit[] = [];
  const longest = Math.max(...tables.map((table) => table.longestEnglish));
  const content = words.some((word) => !isEnglishStopWord(word.toLowerCase()));
  let at = 0;
  while (at < words.length) {
    const first = (words[at] ?? '').toLowerCase();
    let phrase: string | undefined;
    for (let length = Math.min(longest, words.length - at); length > 1; length -= 1) {
      const candidate = words
        .slice(at, at + length)
        .join(' ')
        .toLowerCase();
      if (!tables.some((table) => table.of(candidate).length > 0)) continue;
      phrase = candidate;
      const forms = expansions(candidate, tables, 'english');
      units.push({
        text: candidate,
        weight: 1,
        forms: [formOf(candidate, 'query', 1), ...forms],
      });
      at += length;
      break;
    }
    if (phrase !== undefined) continue;
    const original = words[at] ?? '';
    at += 1;
    if (content && isEnglishStopWord(first)) continue;
    const known = [
      first,
      first.replace(/s$/u, ''),
      first.replace(/(?:ed|ing)$/u, ''),
      first.replace(/(?:ed|ing)$/u, 'e'),
    ];
    const entry =
      known.find((form) => tables.some((table) => table.of(form).length > 0)) ?? englishStem(first);
    units.push({
      text: first,
      weight: 1,
      forms: [formOf(original, 'query', 1), ...expansions(entry, tables, 'english')],
    });
  }
  return units;
}

const pieces =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々〆〇]+|[[\p{L}\p{N}_]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々〆〇]](?:[[\p{L}\p{N}\p{M}_.+#'’\-]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々〆〇]])*/gv;

/** What plain words ask for. */
export function unitsOf(words: string, tables: readonly ConceptTable[]): Unit[] {
  const plain = withoutQuestionPhrases(words);
  const found: Unit[] = [];
  let english: string[] = [];
  const flush = () => {
    if (english.length > 0) found.push(...englishUnits(english, tables));
    english = [];
  };
  // Where nothing is left, the question words are what is asked.
  const source = plain.trim() === '' ? words : plain;
  for (const [piece] of source.matchAll(pieces)) {
    if (isUnspaced(piece.charCodeAt(0))) {
      flush();
      found.push(...japaneseUnits(piece, tables));
    } else {
      english.push(piece.replace(/[.'’-]+$/u, '').replace(/['’]s$/u, ''));
    }
  }
  flush();
  return merge(found);
}

/** One unit for what is asked twice, be it with another ending. */
function merge(units: readonly Unit[]): Unit[] {
  const byStem = new Map<string, Unit>();
  for (const unit of units) {
    const stem = englishStem(unit.text);
    const known = byStem.get(stem);
    if (known === undefined || known.weight < unit.weight) byStem.set(stem, unit);
  }
  return [...byStem.values()];
}
