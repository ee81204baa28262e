import type { Position } from '../broker.ts';
import { entryOf } from '../stream-id.ts';

/** Parts of what is retained after which a new mark is made. */
const marksPerRetained = 4;

/**
 * Earlier positions in one edge, oldest first. The reader keeps them beside its position, so that the writer knows
 * up to where it may trim: entries hold any number of messages, so their number does not tell.
 */
export type Marks = readonly Position[];

/** Notes a position; the first mark stays the newest that lies `retain` messages behind, once there is one. */
export function noteMark(marks: Marks, { id, sequence }: Position, retain: number): Marks {
  const last = marks.at(-1);
  const due = last === undefined || sequence - last.sequence >= Math.max(1, retain / marksPerRetained);
  // Where Redis has lost data the numbers go back, and the marks mean nothing any more.
  const kept = last !== undefined && sequence < last.sequence ? [] : [...marks];
  if (due || kept.length === 0) kept.push({ id: entryOf(id), sequence });
  while (kept.length > 1 && (kept[1] as Position).sequence <= sequence - retain) kept.shift();
  return kept;
}

/** Writes a position with its marks: `<id> <sequence>`, then `<id>@<sequence>` for each mark. */
export function encodePosition({ id, sequence }: Position, marks: Marks): string {
  return [`${id} ${sequence}`, ...marks.map((mark) => `${mark.id}@${mark.sequence}`)].join(' ');
}

/** Reads the marks that stand beside a position. */
export function decodeMarks(text: string): Marks {
  const marks = text.split(' ').slice(2);
  return marks.map((mark) => {
    const [id = '', sequence] = mark.split('@');
    return { id, sequence: Number(sequence) };
  });
}
