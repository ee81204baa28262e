/**
 * How a loan word sounds, so that オーケストレーター and orchestrator meet: a skeleton of consonants in which Japanese
 * and English spelling agree. Voicing is kept, what katakana cannot tell apart (l and r, b and v, s and th) is not.
 */

const rows: Readonly<Record<string, string>> = {
  k: 'カキクケコヵヶ',
  g: 'ガギグゲゴ',
  s: 'サシスセソザジズゼゾ',
  t: 'タチツテト',
  d: 'ダヂヅデド',
  n: 'ナニヌネノン',
  h: 'ハヒフヘホ',
  b: 'バビブベボヴ',
  p: 'パピプペポ',
  m: 'マミムメモ',
  r: 'ラリルレロ',
};

const consonantOf = new Map<string, string>(
  Object.entries(rows).flatMap(([consonant, kana]) => [...kana].map((one) => [one, consonant] as const)),
);

function katakanaSound(word: string): string {
  let out = '';
  for (let at = 0; at < word.length; at += 1) {
    const kana = word[at] ?? '';
    // ファ is f, which is h here as well; シャ and チャ keep their first consonant.
    const consonant = consonantOf.get(kana) ?? '';
    out += consonant;
  }
  return out;
}

function englishSound(word: string): string {
  const spelt = word
    .replaceAll(/^kn|^gn/gu, 'n')
    .replaceAll(/tion|sion|cian/gu, 'son')
    .replaceAll(/dge?|j|ge(?=[^a]|$)|gi/gu, 's')
    .replaceAll('ph', 'h')
    .replaceAll(/ck|qu|ch(?=[rl])|(?<=[sr])ch|x(?!$)/gu, (part) => (part === 'x' ? 'ks' : 'k'))
    .replaceAll(/x$/gu, 'ks')
    .replaceAll(/ch|tch/gu, 't')
    .replaceAll(/th|sh|sc(?=[ei])|c(?=[eiy])|z/gu, 's')
    .replaceAll(/gh/gu, '')
    .replaceAll(/c/gu, 'k')
    .replaceAll(/v/gu, 'b')
    .replaceAll(/l/gu, 'r')
    // English r after a vowel is only a long vowel in Japanese.
    .replaceAll(/([aeiou])r(?=[^aeiouy]|e?$|e?s$)/gu, '$1')
    .replaceAll(/m(?=[bp])/gu, 'n')
    .replaceAll(/w|h(?=[^aeiou]|$)/gu, '')
    .replaceAll('f', 'h');
  return spelt.replaceAll(/(.)\1/gu, '$1').replaceAll(/[aeiouy]/gu, '');
}

const katakana = /^[\u30a1-\u30fa\u30fc]+$/u;

/** The skeleton of a katakana or a lower-case English word; undefined when it is too short to mean one word. */
export function soundOf(word: string): string | undefined {
  const raw = katakana.test(word) ? katakanaSound(word) : englishSound(word);
  if (raw.length < 3 || raw.length > 12) return undefined;
  // Which vowel differs between the scripts; whether there is one in front does not.
  return /^(?:[aeiou]|[アイウエオァィゥェォ])/u.test(word) ? `a${raw}` : raw;
}

const spellings: readonly (readonly [RegExp, string])[] = [
  [/ヴァ/gu, 'バ'],
  [/ヴィ/gu, 'ビ'],
  [/ヴェ/gu, 'ベ'],
  [/ヴォ/gu, 'ボ'],
  [/ヴュ/gu, 'ビュ'],
  [/ヴ/gu, 'ブ'],
  [/([ェエケゲセゼテデネヘベペメレ])イ/gu, '$1'],
  [/[ーッ]/gu, ''],
];

/** A katakana word as it would be if writers agreed: インターフェイス and インタフェース come to the same. */
export function plainKatakana(word: string): string {
  return spellings.reduce((text, [from, to]) => text.replaceAll(from, to), word);
}
