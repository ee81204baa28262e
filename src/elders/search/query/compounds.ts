import { englishStem } from '../language/english-stem.ts';
import { formOf } from './forms.ts';
import type { Postings } from './postings.ts';
import type { Form, Unit } from './unit.ts';

/** How much a word counts that is written together (for each of the two), apart, or that goes on. */
const weights = { joined: 0.5, parted: 0.7, begun: 0.8 } as const;

const plainWord = /^[a-z][a-z0-9]{2,23}$/u;
/** A shorter beginning is one of too many words. */
const shortestBeginning = 5;
const shortestPart = 3;

function stands(word: string, postings: Postings): boolean {
  return postings.frequency(word) > 0 || postings.frequency(englishStem(word)) > 0;
}

/** The two words that an unknown one consists of (configfile), those that stand most often. */
function partsOf(word: string, postings: Postings): [string, string] | undefined {
  let best: { parts: [string, string]; frequency: number } | undefined;
  for (let at = shortestPart; at <= word.length - shortestPart; at += 1) {
    const parts: [string, string] = [word.slice(0, at), word.slice(at)];
    const frequency = Math.min(...parts.map((part) => postings.frequency(part)));
    if (frequency > (best?.frequency ?? 0)) best = { parts, frequency };
  }
  return best?.parts;
}

function prefixForm(start: string): Form {
  const terms = [{ term: start, match: 'prefix' as const, share: 1 }];
  return {
    text: start,
    origin: 'prefix',
    weight: weights.begun,
    terms,
    size: 1,
    strictness: 1,
    phrase: undefined,
  };
}

function wordOf(unit: Unit | undefined): string | undefined {
  return unit !== undefined && plainWord.test(unit.text) ? unit.text : undefined;
}

/**
 * Adds to English words how they stand in the index where it has them in other pieces: a word that stands nowhere as
 * the beginning of others (parseconfig of parseConfigFile) or as two words, two words that follow each other as one.
 */
export function withCompounds(units: readonly Unit[], postings: Postings): Unit[] {
  return units.map((unit, at) => {
    const word = wordOf(unit);
    if (word === undefined) return unit;
    const [before, after] = [wordOf(units[at - 1]), wordOf(units[at + 1])];
    const joined = [
      ...(before === undefined ? [] : [before + word]),
      ...(after === undefined ? [] : [word + after]),
    ].filter((one) => postings.frequency(one) > 0);
    const forms = joined.map((one) => formOf(one, 'spelling', weights.joined));
    if (!stands(word, postings)) {
      if (word.length >= shortestBeginning && postings.frequency(word, true) > 0)
        forms.push(prefixForm(word));
      const parts = partsOf(word, postings);
      if (parts !== undefined) forms.push(formOf(parts.join(' '), 'spelling', weights.parted));
    }
    return forms.length === 0 ? unit : { ...unit, forms: [...unit.forms, ...forms] };
  });
}
