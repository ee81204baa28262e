/** What a character counts as when text is split. */
export const Script = { none: 0, word: 1, ideograph: 2, hiragana: 3, katakana: 4 } as const;
/** One of `Script`. */
export type Script = (typeof Script)[keyof typeof Script];

const unknown = 255;
const known = new Uint8Array(0x10000).fill(unknown);
const letter = /[\p{L}\p{N}\p{M}]/u;

function classify(code: number): Script {
  if (code < 0x80) {
    const alphanumeric =
      (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39);
    return alphanumeric || code === 0x5f ? Script.word : Script.none;
  }
  if (code >= 0x3041 && code <= 0x309f) return Script.hiragana;
  // The middle dot separates.
  if ((code >= 0x30a1 && code <= 0x30fa) || (code >= 0x30fc && code <= 0x30ff)) return Script.katakana;
  if (code >= 0x31f0 && code <= 0x31ff) return Script.katakana;
  if ((code >= 0x3400 && code <= 0x4dbf) || (code >= 0x4e00 && code <= 0x9fff)) return Script.ideograph;
  if ((code >= 0xf900 && code <= 0xfaff) || (code >= 0x3005 && code <= 0x3007)) return Script.ideograph;
  // Written without spaces as well: Hangul compounds and Thai are served by pairs of characters.
  if ((code >= 0xac00 && code <= 0xd7a3) || (code >= 0x0e01 && code <= 0x0e7f)) return Script.ideograph;
  // Halves of characters beyond the basic plane: ideographs from U+20000 on; emoji are no terms.
  if (code >= 0xd840 && code <= 0xd8bf) return Script.ideograph;
  if (code >= 0xdc00 && code <= 0xdfff) return Script.none;
  return letter.test(String.fromCharCode(code)) ? Script.word : Script.none;
}

/** The script of a UTF-16 code unit. */
export function scriptOf(code: number): Script {
  const cached = known[code] as number;
  if (cached !== unknown) return cached as Script;
  const script = classify(code);
  known[code] = script;
  return script;
}

/** Whether the code unit belongs to a run that is split without spaces. */
export function isUnspaced(code: number): boolean {
  return scriptOf(code) >= Script.ideograph;
}

const japanese = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u;

/** Whether a text has Japanese in it. */
export function isPartlyJapanese(text: string): boolean {
  return japanese.test(text);
}
