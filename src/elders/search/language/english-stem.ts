import { stemmer } from 'stemmer';

const cache = new Map<string, string>();
const cacheSize = 50_000;
const plainWord = /^[a-z]{4,24}$/u;

/** The stem of a lower-case English word (Porter); anything else comes back as it is. */
export function englishStem(word: string): string {
  if (word.length < 4) return word;
  const cached = cache.get(word);
  if (cached !== undefined) return cached;
  if (!plainWord.test(word)) return word;
  const stem = stemmer(word);
  if (cache.size >= cacheSize) cache.clear();
  cache.set(word, stem);
  return stem;
}
