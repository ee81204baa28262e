import { type Chunk, type ChunkSize, columns, defaultChunkSize } from './chunk.ts';
import { splitLines, windows } from './lines.ts';

/** Cuts one over-long line (minified code, a log without line ends) so that no passage grows without bound. */
function pieces(text: string, most: number): string[] {
  if (columns(text) <= most * 2) return [text];
  const found: string[] = [];
  for (let at = 0; at < text.length; at += most) found.push(text.slice(at, at + most));
  return found;
}

/** Cuts a plain text into passages at blank lines. */
export function chunkPlainText(text: string, size: ChunkSize = defaultChunkSize): Chunk[] {
  const lines = splitLines(text);
  return windows(lines, { start: 0, end: lines.length }, size.most).flatMap(({ start, end }) =>
    pieces(lines.slice(start, end).join('\n'), size.most).map((piece) => ({
      startLine: start + 1,
      endLine: end,
      headingPath: [],
      innerHeadings: [],
      text: piece,
    })),
  );
}
