import { columns } from './chunk.ts';

/** A range of lines, from `start` up to but not with `end`, counted from 0. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/** Splits at line ends of any kind; a final line end opens no line. */
export function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/u);
  if (lines.length > 1 && lines.at(-1) === '') lines.pop();
  return lines;
}

/** Drops blank lines at both ends of a range. */
export function trimBlank(lines: readonly string[], range: LineRange): LineRange {
  let { start, end } = range;
  while (start < end && lines[start]?.trim() === '') start += 1;
  while (end > start && lines[end - 1]?.trim() === '') end -= 1;
  return { start, end };
}

/** A line where a text may be cut well: after a blank line, before a list item at the margin or a bold label. */
function cutQuality(lines: readonly string[], at: number): number {
  if (lines[at - 1]?.trim() === '') return 3;
  if (/^(?:[-*+]|\d+[.)]) /u.test(lines[at] ?? '')) return 2;
  return /^\s/u.test(lines[at] ?? '') ? 0 : 1;
}

/** Divides a range of lines into ranges of at most `most` columns, at the best cut in each one's second half. */
export function windows(lines: readonly string[], range: LineRange, most: number): LineRange[] {
  const found: LineRange[] = [];
  let start = range.start;
  while (start < range.end) {
    let end = start;
    let size = 0;
    let best = -1;
    let bestQuality = -1;
    while (end < range.end) {
      const width = columns(lines[end] ?? '') + 1;
      if (end > start && size + width > most) break;
      size += width;
      end += 1;
      if (size < most / 2 || end >= range.end) continue;
      const quality = cutQuality(lines, end);
      if (quality >= bestQuality) {
        best = end;
        bestQuality = quality;
      }
    }
    if (end < range.end && best > start) end = best;
    const trimmed = trimBlank(lines, { start, end });
    if (trimmed.start < trimmed.end) found.push(trimmed);
    start = end;
  }
  return found;
}
