import { createHash } from 'node:crypto';
import { type AuditHead, type AuditRecord, auditRecord } from '../../protocol/audit.ts';

const hashLength = 64;
const hashField = ',"hash":"';
/** What follows the hashed bytes of a line: the field, the hash, and the end of the object. */
const suffixLength = hashField.length + hashLength + 2;

/** A record on its way into the log: all but its hash. */
export type UnsealedRecord = Omit<AuditRecord, 'hash'>;

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Writes a record as its line, without the newline, and gives the head that it makes. */
export function sealLine(record: UnsealedRecord): { line: string; head: AuditHead } {
  const body = JSON.stringify(record).slice(0, -1);
  const hash = hashOf(body);
  return { line: `${body}${hashField}${hash}"}`, head: { seq: record.seq, hash } };
}

/** A line as it was read: the record as far as it is one, and whether its bytes are those that were written. */
export interface ReadLine {
  readonly record: AuditRecord | null;
  readonly intact: boolean;
}

/** Reads one line and checks its hash over its very bytes, so that no way of writing the same value passes. */
export function readLine(line: string): ReadLine {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    return { record: null, intact: false };
  }
  const parsed = auditRecord.safeParse(raw);
  if (!parsed.success) return { record: null, intact: false };
  const { hash } = parsed.data;
  const intact =
    line.slice(-suffixLength) === `${hashField}${hash}"}` && hashOf(line.slice(0, -suffixLength)) === hash;
  return { record: parsed.data, intact };
}
