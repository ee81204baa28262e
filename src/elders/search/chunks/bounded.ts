import { type Chunk, columns } from './chunk.ts';

/** Where a long line may be cut without parting a word. */
const cuttable = /[\s,;.。、；:)}\]>]/u;

/** The end of the next piece: at `most` characters, or a little before them where a word ends. */
function cutAt(text: string, start: number, most: number): number {
  const end = start + most;
  if (end >= text.length) return text.length;
  for (let at = end; at > end - most / 4; at -= 1) if (cuttable.test(text[at - 1] ?? '')) return at;
  // Not between the halves of a surrogate pair.
  const code = text.charCodeAt(end);
  return code >= 0xdc00 && code <= 0xdfff ? end - 1 : end;
}

/** Cuts a passage of one over-long line (minified code, a log without line ends), so that none grows without bound. */
export function bounded(chunk: Chunk, most: number): Chunk[] {
  const { text } = chunk;
  if (columns(text) <= most * 2) return [chunk];
  const found: Chunk[] = [];
  for (let start = 0; start < text.length; ) {
    const end = cutAt(text, start, most);
    found.push({ ...chunk, text: text.slice(start, end) });
    start = end;
  }
  return found;
}
