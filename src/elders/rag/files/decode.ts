/** A text and how its bytes were read. */
export interface DecodedText {
  readonly text: string;
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'shift_jis' | 'euc-jp' | 'iso-2022-jp';
  /** Some bytes were no text in any known encoding; they became U+FFFD. */
  readonly damaged: boolean;
}

/** Enough of a file to tell its encoding by (bytes). */
const sampleBytes = 65_536;

function decodeStrictly(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** How much a text reads like Japanese: full-width kana tell most, half-width kana come of a wrong guess. */
function japaneseness(text: string): number {
  let score = 0;
  let foreign = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) continue;
    foreign += 1;
    if (code >= 0x3040 && code <= 0x30ff) score += 2;
    else if (code >= 0x4e00 && code <= 0x9fff) score += 1;
    else if (code >= 0x3000 && code <= 0x303f) score += 1;
    else if (code >= 0xff61 && code <= 0xff9f) score -= 1;
  }
  return foreign === 0 ? 0 : score / foreign;
}

/** Cut where a line ends, so that no character is cut in two. */
function sampleOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= sampleBytes) return bytes;
  const end = bytes.lastIndexOf(0x0a, sampleBytes);
  return bytes.subarray(0, end > 0 ? end : sampleBytes);
}

/** Reads bytes as text: by byte order mark, UTF-8, ISO-2022-JP, EUC-JP or Shift_JIS, whichever they are valid in. */
export function decodeText(bytes: Uint8Array): DecodedText {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return plain(bytes, 'utf-16le');
  if (first === 0xfe && second === 0xff) return plain(bytes, 'utf-16be');
  const utf8 = decodeStrictly('utf-8', bytes);
  // ISO-2022-JP is ASCII with escapes, so it is valid UTF-8 too.
  if (utf8?.includes('\u001b$')) {
    const text = decodeStrictly('iso-2022-jp', bytes);
    if (text !== undefined) return { text, encoding: 'iso-2022-jp', damaged: false };
  }
  if (utf8 !== undefined) return { text: utf8, encoding: 'utf-8', damaged: false };
  const sample = sampleOf(bytes);
  const guesses = (['euc-jp', 'shift_jis'] as const).flatMap((encoding) => {
    const text = decodeStrictly(encoding, sample);
    return text === undefined ? [] : [{ encoding, score: japaneseness(text) }];
  });
  guesses.sort((a, b) => b.score - a.score);
  const best = guesses[0];
  // A Western text may be valid by chance, but does not look Japanese then.
  if (best !== undefined && best.score >= 0.7) return plain(bytes, best.encoding);
  return { text: new TextDecoder().decode(bytes), encoding: 'utf-8', damaged: true };
}

function plain(bytes: Uint8Array, encoding: DecodedText['encoding']): DecodedText {
  const text = new TextDecoder(encoding).decode(bytes);
  return { text, encoding, damaged: text.includes('\ufffd') };
}

/** Whether bytes are no text: a NUL among the first ones, unless a byte order mark says UTF-16. */
export function isBinary(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return false;
  return bytes.subarray(0, 8_192).includes(0);
}
