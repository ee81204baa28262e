import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { englishStem } from '../../src/elders/search/language/english-stem.ts';

const parts = ['noun', 'verb', 'adj', 'adv'] as const;
type Part = (typeof parts)[number];
const numberOf: Readonly<Record<string, Part>> = {
  '1': 'noun',
  '2': 'verb',
  '3': 'adj',
  '4': 'adv',
  '5': 'adj',
};
const partOf: Readonly<Record<string, Part>> = { n: 'noun', v: 'verb', a: 'adj', s: 'adj', r: 'adv' };

interface Synset {
  readonly lemmas: readonly string[];
  /** Words of the same family in other parts of speech: own number, part, place in the file, their number. */
  readonly related: readonly (readonly [number, Part, string, number])[];
}

function readSynsets(folder: string, part: Part): Map<string, Synset> {
  const found = new Map<string, Synset>();
  for (const line of readFileSync(join(folder, `data.${part}`), 'latin1').split('\n')) {
    if (!/^\d{8} /u.test(line)) continue;
    const fields = (line.split(' | ')[0] ?? '').split(' ');
    const count = Number.parseInt(fields[3] ?? '0', 16);
    const lemmas = Array.from({ length: count }, (_, at) =>
      (fields[4 + at * 2] ?? '').replace(/\(.*\)$/u, ''),
    );
    const first = 4 + count * 2;
    const related: [number, Part, string, number][] = [];
    for (let at = 0; at < Number(fields[first]); at += 1) {
      const [symbol, place = '', kind = '', both = ''] = fields.slice(first + 1 + at * 4);
      const other = partOf[kind];
      if (symbol === '+' && other !== undefined)
        related.push([
          Number.parseInt(both.slice(0, 2), 16),
          other,
          place,
          Number.parseInt(both.slice(2), 16),
        ]);
    }
    found.set(fields[0] ?? '', { lemmas, related });
  }
  return found;
}

/** How often each sense of a lemma was met in texts: `lemma part number`. */
function readCounts(folder: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(join(folder, 'cntlist.rev'), 'latin1').split('\n')) {
    const [key = '', number = '', count = ''] = line.split(' ');
    const [lemma = '', rest = ''] = key.split('%');
    const part = numberOf[rest[0] ?? ''];
    if (part !== undefined) counts.set(`${lemma} ${part} ${number}`, Number(count));
  }
  return counts;
}

const plain = /^[a-z][a-z-]*(?:_[a-z]+)?$/u;
/** A sense that is met less often than this share of all of the word's is not what is meant. */
const leastShare = 0.3;

/** English words with others that mean about the same or belong to the same family. */
export function readWordNet(folder: string): Map<string, { synonyms: Set<string>; family: Set<string> }> {
  const counts = readCounts(folder);
  const synsets = new Map(parts.map((part) => [part, readSynsets(folder, part)] as const));
  const found = new Map<string, { synonyms: Set<string>; family: Set<string> }>();
  /** The share of a sense of all that the word was met in, over all parts of speech. */
  const total = new Map<string, number>();
  for (const [key, count] of counts) {
    const lemma = key.split(' ')[0] ?? '';
    total.set(lemma, (total.get(lemma) ?? 0) + count);
  }
  const shareOf = (lemma: string, part: Part, number: number) =>
    (counts.get(`${lemma} ${part} ${number}`) ?? 0) / Math.max(1, total.get(lemma) ?? 0);
  const senseOf = new Map<string, number>();
  for (const part of parts) {
    const lines = readFileSync(join(folder, `index.${part}`), 'latin1').split('\n');
    for (const line of lines) {
      if (line.startsWith(' ')) continue;
      const fields = line.trim().split(' ');
      const offsets = fields.slice(-Number(fields[2] ?? 0));
      for (const [at, offset] of offsets.entries()) senseOf.set(`${fields[0]} ${part} ${offset}`, at + 1);
    }
  }
  for (const [key, number] of senseOf) {
    const [lemma = '', part = 'noun', offset = ''] = key.split(' ') as [string, Part, string];
    // A word that was never met is too rare to be asked with.
    if (!plain.test(lemma) || (total.get(lemma) ?? 0) < 2) continue;
    const share = shareOf(lemma, part, number);
    if (share < leastShare) continue;
    const synset = synsets.get(part)?.get(offset);
    if (synset === undefined) continue;
    const word = lemma.replaceAll('_', ' ');
    const entry = found.get(word) ?? { synonyms: new Set<string>(), family: new Set<string>() };
    const add = (to: Set<string>, other: string, otherPart: Part, otherOffset: string, least: number) => {
      const lower = other.toLowerCase();
      if (lower === lemma || other !== lower || !plain.test(lower)) return;
      const otherNumber = senseOf.get(`${lower} ${otherPart} ${otherOffset}`) ?? 99;
      if (shareOf(lower, otherPart, otherNumber) < least) return;
      if (englishStem(lower) !== englishStem(lemma)) to.add(lower.replaceAll('_', ' '));
    };
    const own = synset.lemmas.findIndex((one) => one.toLowerCase() === lemma) + 1;
    for (const other of synset.lemmas) add(entry.synonyms, other, part, offset, leastShare);
    for (const [from, otherPart, place, to] of synset.related) {
      if (from !== own) continue;
      const other = synsets.get(otherPart)?.get(place)?.lemmas[to - 1];
      if (other !== undefined) add(entry.family, other, otherPart, place, 0);
    }
    if (entry.synonyms.size + entry.family.size > 0) found.set(word, entry);
  }
  return found;
}

/** Irregular forms of words that are much used: ran = run. */
export function readIrregular(folder: string): [string, string][] {
  const counts = readCounts(folder);
  const isUsed = (lemma: string, part: Part) =>
    [1, 2, 3].some((number) => (counts.get(`${lemma} ${part} ${number}`) ?? 0) >= 2);
  return (['verb', 'noun'] as const).flatMap((part) =>
    readFileSync(join(folder, `${part}.exc`), 'latin1')
      .split('\n')
      .flatMap((line): [string, string][] => {
        const [form = '', lemma = ''] = line.trim().split(' ');
        const isPlain = /^[a-z]+$/u.test(form) && /^[a-z]+$/u.test(lemma);
        return isPlain && isUsed(lemma, part) && englishStem(form) !== englishStem(lemma)
          ? [[form, lemma]]
          : [];
      }),
  );
}
