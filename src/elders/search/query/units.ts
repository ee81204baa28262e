import type { ConceptTable } from '../language/concepts.ts';
import { englishStem } from '../language/english-stem.ts';
import { numeralOf } from '../language/numerals.ts';
import { isUnspaced } from '../language/scripts.ts';
import { isEnglishStopWord, withoutQuestionPhrases } from '../language/stop-words.ts';
import { besideKnown, formsOfEnglish } from './book-forms.ts';
import { expansions } from './expansions.ts';
import { formOf, numberForms } from './forms.ts';
import { japaneseUnits } from './japanese-units.ts';
import type { Unit } from './unit.ts';

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
      const forms = besideKnown(expansions(candidate, tables, 'english'), formsOfEnglish(candidate));
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
      forms: [
        formOf(original, 'query', 1),
        ...numberForms(numeralOf(first)),
        ...besideKnown(expansions(entry, tables, 'english'), formsOfEnglish(first)),
      ],
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
