const onlyAscii = /^[\t\n\r\x20-\x7e]*$/u;

/** Compatibility forms folded into their plain ones (NFKC): full-width Latin, half-width katakana, ligatures. */
export function normalize(text: string): string {
  return onlyAscii.test(text) ? text : text.normalize('NFKC');
}

/** A normalized text with the way back to the original. */
export interface MappedText {
  readonly text: string;
  /** The offset in the original of an offset in the normalized text. */
  original(offset: number): number;
}

/** Normalizes like `normalize` and keeps where each piece came from, for highlights in the text as written. */
export function normalizeWithMap(text: string): MappedText {
  const normal = normalize(text);
  if (normal.length === text.length) return { text: normal, original: (offset) => offset };
  const offsets: number[] = [];
  let out = '';
  let at = 0;
  // A base character with the marks that combine with it, among them the half-width voicing marks.
  for (const [cluster] of text.matchAll(/[\s\S][\p{M}\uff9e\uff9f]*/gu)) {
    const piece = cluster.normalize('NFKC');
    for (let unit = 0; unit < piece.length; unit += 1) offsets.push(at);
    out += piece;
    at += cluster.length;
  }
  offsets.push(at);
  return { text: out, original: (offset) => offsets[Math.min(offset, offsets.length - 1)] ?? at };
}
