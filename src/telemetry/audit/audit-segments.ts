import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

const namePattern = /^audit-(\d{12})\.jsonl$/;

/** A file of the log; it is named after the first record that it holds. */
export interface Segment {
  readonly name: string;
  readonly path: string;
  readonly firstSeq: number;
}

/** Names the file whose first record has this number. */
export function segmentAt(folder: string, firstSeq: number): Segment {
  const name = `audit-${String(firstSeq).padStart(12, '0')}.jsonl`;
  return { name, path: join(folder, name), firstSeq };
}

/** Lists the files of the log, the oldest first; none where there is no folder. */
export function listSegments(folder: string): Segment[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => namePattern.test(name))
    .sort()
    .map((name) => segmentAt(folder, Number(namePattern.exec(name)?.[1])));
}

/** One line of a segment; `ended` is false for what stands behind the last newline. */
export interface SegmentLine {
  readonly segment: Segment;
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
  readonly ended: boolean;
}

/** Yields every line of the segments in order. Throws the error of the file system. */
export async function* segmentLines(segments: readonly Segment[]): AsyncGenerator<SegmentLine, void> {
  for (const segment of segments) {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    let line = 0;
    for await (const chunk of createReadStream(segment.path)) {
      const texts = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = texts.pop() as string;
      for (const text of texts) yield { segment, line: ++line, text, ended: true };
    }
    rest += decoder.end();
    if (rest !== '') yield { segment, line: line + 1, text: rest, ended: false };
  }
}
