import type { SecretSpan } from './preset.ts';

const begin = /-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----/gu;
const end = /-----END[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----/gu;
/** What a key whose end is missing looks like. */
const body = /[A-Za-z0-9+/=\s\\]*/uy;
/** Longer ones are no keys (UTF-16 units). */
const longest = 20_000;

/** Where private keys stand, those whose end is missing included, in one pass over the text. */
export function privateKeys(text: string): SecretSpan[] {
  const ends = [...text.matchAll(end)];
  const found: SecretSpan[] = [];
  let next = 0;
  for (const { 0: head, index: start } of text.matchAll(begin)) {
    if (start < (found.at(-1)?.end ?? 0)) continue;
    const from = start + head.length;
    while (next < ends.length && (ends[next]?.index ?? 0) < from) next += 1;
    const close = ends[next];
    const isWhole = close !== undefined && close.index - from <= longest;
    found.push({
      start,
      end: isWhole ? close.index + close[0].length : Math.min(endOfBody(text, from), from + longest),
      rule: 'private-key',
    });
  }
  return found;
}

function endOfBody(text: string, from: number): number {
  body.lastIndex = from;
  body.test(text);
  return body.lastIndex;
}
