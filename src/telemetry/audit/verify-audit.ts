import { type AuditHead, emptyHead } from '../../protocol/audit.ts';
import { readLine } from './audit-line.ts';
import { listSegments, type SegmentLine, segmentLines } from './audit-segments.ts';

/** Something that is wrong with the log, and where. */
export interface AuditProblem {
  readonly kind: 'changed' | 'removed' | 'reordered' | 'repeated' | 'truncated';
  /** The file and line (from 1); where lines are missing, that which stands in their place, if any. */
  readonly segment: string | null;
  readonly line: number | null;
  /** The record it is about; of missing ones, the first. */
  readonly seq: number;
  /** The last of missing records. */
  readonly lastSeq?: number;
  readonly reason: string;
}

/** What a look at the whole log found. */
export interface AuditVerification {
  readonly ok: boolean;
  readonly records: number;
  readonly segments: number;
  readonly head: AuditHead;
  /** `null`: there was none to compare the end of the log with. */
  readonly anchor: AuditHead | null;
  readonly problems: AuditProblem[];
  /** Bytes behind the last newline: a line under way, or one that a crash cut short and the next start takes out. */
  readonly unfinishedBytes: number;
}

/** More problems than this are not listed one by one. */
const problemLimit = 1_000;

interface Gap {
  first: number;
  last: number;
  readonly at: SegmentLine;
}

/**
 * Reads the whole log and checks that each line has the bytes it was written with, that each follows from the one
 * above, that none is missing, and that the end is not before the anchor, which must have been read before.
 * Throws the error of the file system.
 */
export async function verifyAudit(folder: string, anchor: AuditHead | null): Promise<AuditVerification> {
  const segments = listSegments(folder);
  const walk = new Walk(anchor);
  for await (const line of segmentLines(segments)) walk.look(line);
  const { problems, head, records, unfinishedBytes } = walk.finish();
  const ok = problems.length === 0;
  return { ok, records, segments: segments.length, head, anchor, problems, unfinishedBytes };
}

class Walk {
  readonly #anchor: AuditHead | null;
  readonly #problems: AuditProblem[] = [];
  readonly #gaps: Gap[] = [];
  #head: AuditHead = emptyHead;
  #records = 0;
  #unfinished = 0;
  /** The last sound line; the first record of all follows from nothing. */
  #above: SegmentLine | null = null;
  /** Lines since then that are no sound records. */
  #doubtful: { readonly at: SegmentLine; readonly hash: string }[] = [];

  constructor(anchor: AuditHead | null) {
    this.#anchor = anchor;
  }

  look(at: SegmentLine): void {
    if (!at.ended) {
      this.#unfinished += Buffer.byteLength(at.text);
      return;
    }
    this.#records += 1;
    const { record, intact } = readLine(at.text);
    if (!record || !intact) {
      this.#doubtful.push({ at, hash: record?.hash ?? '' });
      return;
    }
    const { seq, hash, prev } = record;
    const linked = this.#doubtful.length === 0;
    const expected = this.#settleDoubtful(Math.max(0, seq - this.#head.seq - 1)) + 1;
    if (seq < expected) {
      this.#late(seq, at);
      return;
    }
    if (seq > expected) this.#gaps.push({ first: expected, last: seq - 1, at });
    else if (linked && prev !== this.#head.hash) this.#unlinked(seq, at);
    this.#advance({ seq, hash }, at);
  }

  /**
   * Names the lines that are no sound records. What such a line claims to be may be false, so as many as
   * are missing count as these, and the others as put in. Gives the number of the last record so far.
   */
  #settleDoubtful(missing: number): number {
    for (const [index, { at, hash }] of this.#doubtful.entries()) {
      const seq = this.#head.seq + 1;
      if (index < missing) {
        this.#note('changed', at, seq, 'the line is not as it was written');
        this.#head = { seq, hash };
      } else {
        this.#note('changed', at, seq, 'the line is no record of this log');
      }
    }
    this.#doubtful = [];
    return this.#head.seq;
  }

  finish() {
    this.#settleDoubtful(this.#doubtful.length);
    for (const { first, last, at } of this.#gaps) {
      const missing =
        first === last ? `record ${first} is missing` : `records ${first} to ${last} are missing`;
      this.#note('removed', at, first, missing, last);
    }
    const anchor = this.#anchor;
    if (anchor && anchor.seq > this.#head.seq) {
      const first = this.#head.seq + 1;
      const reason = `the log ends with record ${this.#head.seq}, its anchor names record ${anchor.seq}`;
      this.#note('truncated', null, first, reason, anchor.seq);
    }
    const problems = this.#problems.sort((a, b) => a.seq - b.seq);
    return { problems, head: this.#head, records: this.#records, unfinishedBytes: this.#unfinished };
  }

  #advance(head: AuditHead, at: SegmentLine): void {
    const anchor = this.#anchor;
    if (anchor && head.seq === anchor.seq && head.hash !== anchor.hash) {
      this.#note('changed', at, head.seq, 'the anchor names another record of this number');
    }
    this.#head = head;
    this.#above = at;
  }

  /** A record with a number that should have stood further up. */
  #late(seq: number, at: SegmentLine): void {
    const gap = this.#gaps.find(({ first, last }) => first <= seq && seq <= last);
    if (!gap) {
      this.#note('repeated', at, seq, `a record ${seq} stands further up already`);
      return;
    }
    this.#note('reordered', at, seq, `record ${seq} stands behind record ${this.#head.seq}`);
    if (gap.first === gap.last) this.#gaps.splice(this.#gaps.indexOf(gap), 1);
    else if (seq === gap.first) gap.first += 1;
    else if (seq === gap.last) gap.last -= 1;
    else {
      this.#gaps.push({ first: seq + 1, last: gap.last, at: gap.at });
      gap.last = seq - 1;
    }
  }

  /** Each of two lines is sound, but the second was written after another one than the first. */
  #unlinked(seq: number, at: SegmentLine): void {
    const above = this.#above;
    const reason = `record ${seq} was written after another record ${seq - 1} than the one that stands above it`;
    this.#note('changed', above ?? at, above ? seq - 1 : seq, reason);
  }

  #note(
    kind: AuditProblem['kind'],
    at: SegmentLine | null,
    seq: number,
    reason: string,
    lastSeq?: number,
  ): void {
    if (this.#problems.length >= problemLimit) return;
    const place = { segment: at?.segment.name ?? null, line: at?.line ?? null };
    this.#problems.push({ kind, ...place, seq, reason, ...(lastSeq !== undefined && { lastSeq }) });
  }
}
