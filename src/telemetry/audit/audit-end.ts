import { createHash } from 'node:crypto';
import { readFile, truncate } from 'node:fs/promises';
import { type AuditEntry, type AuditHead, emptyHead } from '../../protocol/audit.ts';
import { readLine } from './audit-line.ts';
import { listSegments, type Segment } from './audit-segments.ts';

/** Characters of a line that was cut short which are kept. */
const keptOfStump = 1_000;

/** Where a log ends. */
export interface AuditEnd {
  readonly head: AuditHead;
  /** The newest file, if any. */
  readonly segment: Segment | null;
  /** Of that file, in bytes. */
  readonly size: number;
  /** Last message recorded of each edge. */
  readonly seen: Map<string, string>;
  /** What is to be recorded about it. */
  readonly remarks: AuditEntry[];
}

/** Finds where the log ends, and takes out what a crash left of a line. */
export async function findAuditEnd(folder: string): Promise<AuditEnd> {
  const segments = listSegments(folder);
  const seen = new Map<string, string>();
  const remarks: AuditEntry[] = [];
  let segment: Segment | null = null;
  let size = 0;
  // A segment that a crash left empty has no record to go on from.
  for (const candidate of segments.toReversed()) {
    const bytes = await readFile(candidate.path);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end < bytes.length) {
      const stump = bytes.subarray(end);
      await truncate(candidate.path, end);
      remarks.push({
        kind: 'audit',
        event: 'repaired',
        by: 'manager',
        object: candidate.name,
        reason: `a line that was cut short (${stump.length} bytes) was taken out`,
        detail: {
          sha256: createHash('sha256').update(stump).digest('hex'),
          beginning: stump.toString('utf8').slice(0, keptOfStump),
        },
      });
    }
    segment ??= candidate;
    if (segment === candidate) size = end;
    const text = bytes.subarray(0, end).toString('utf8');
    const head = lastHead(text, seen, remarks, candidate);
    if (!head) continue;
    // What was written last may have begun in the segment before.
    const before = segments[segments.indexOf(candidate) - 1];
    if (before) noteSeen(await readFile(before.path, 'utf8'), seen);
    return { head, segment, size, seen, remarks };
  }
  return { head: emptyHead, segment, size, seen, remarks };
}

/** Notes the last message recorded of each edge that is not noted yet. */
function noteSeen(text: string, seen: Map<string, string>): void {
  const own = new Map<string, string>();
  for (const line of text.split('\n')) {
    const { record } = readLine(line);
    if (record?.from) own.set(record.from.edge, record.from.entry);
  }
  for (const [edge, entry] of own) if (!seen.has(edge)) seen.set(edge, entry);
}

function lastHead(
  text: string,
  seen: Map<string, string>,
  remarks: AuditEntry[],
  segment: Segment,
): AuditHead | null {
  let head: AuditHead | null = null;
  let broken = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const { record, intact } = readLine(line);
    if (!intact) broken += 1;
    if (!record) continue;
    head = { seq: record.seq, hash: record.hash };
    if (record.from) seen.set(record.from.edge, record.from.entry);
  }
  if (broken > 0) {
    const reason = `${broken} lines are not as they were written; see \`elders audit verify\``;
    remarks.push({ kind: 'audit', event: 'damaged', by: 'manager', object: segment.name, reason });
  }
  return head;
}
