import { bounded } from './bounded.ts';
import { type Chunk, type ChunkSize, defaultChunkSize } from './chunk.ts';
import { splitLines, windows } from './lines.ts';

/** Cuts a plain text into passages at blank lines. */
export function chunkPlainText(text: string, size: ChunkSize = defaultChunkSize): Chunk[] {
  const lines = splitLines(text);
  return windows(lines, { start: 0, end: lines.length }, size.most).flatMap(({ start, end }) => {
    const body = lines.slice(start, end).join('\n');
    const common = { startLine: start + 1, endLine: end, headingPath: [], innerHeadings: [] };
    return bounded({ ...common, text: body }, size.most);
  });
}
