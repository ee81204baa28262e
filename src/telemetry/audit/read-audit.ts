import type { AuditKind, AuditRecord } from '../../protocol/audit.ts';
import { readLine } from './audit-line.ts';
import { listSegments, segmentLines } from './audit-segments.ts';

/** Which records are wanted. */
export interface AuditQuery {
  readonly kind?: AuditKind;
  /** Ms since the epoch. */
  readonly since?: number;
  /** The most that are given; the newest stay. */
  readonly limit?: number;
}

/**
 * Reads records in the order in which they were written; lines that are none are left out, `verifyAudit` names them.
 * Throws the error of the file system.
 */
export async function readAudit(
  folder: string,
  { kind, since, limit }: AuditQuery = {},
): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for await (const { text } of segmentLines(listSegments(folder))) {
    const { record } = readLine(text);
    if (!record) continue;
    if (kind !== undefined && record.kind !== kind) continue;
    if (since !== undefined && (record.lastAt ?? record.at) < since) continue;
    records.push(record);
    // Trimmed in strides, since removing the first of an array moves all others.
    if (limit !== undefined && records.length >= 2 * limit) records.splice(0, records.length - limit);
  }
  return limit === undefined ? records : records.slice(-limit);
}
