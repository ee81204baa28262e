import type { z } from 'zod';
import { type AuditEntry, auditEntry } from '../../protocol/audit.ts';
import type { UnsealedRecord } from './audit-line.ts';

/** An entry in which nothing is left out. */
export type CompleteEntry = z.output<typeof auditEntry> & { readonly at: number };

/** Fills in what an entry leaves out; texts that are too long are cut, for what is odd must be recorded all the more. */
export function completeEntry(entry: AuditEntry, now: number): CompleteEntry {
  const cut = (value: string | null | undefined, length = 2_000) => value?.slice(0, length) ?? null;
  const { subject, object, action, reason, at = now, count = 1, ...rest } = entry;
  const texts = { subject: cut(subject), object: cut(object), action: cut(action), reason: cut(reason) };
  const checked = auditEntry.safeParse({ ...rest, ...texts, at, count });
  if (checked.success) return { ...checked.data, at };
  const [issue] = checked.error.issues;
  const odd = `an entry that does not fit: ${issue?.path.join('.')}: ${issue?.message}`;
  return { kind: 'audit', event: 'malformed', by: 'manager', ...texts, reason: odd, at, count: 1 };
}

/** Equal denials of one batch become one record that counts them. */
export function foldEqual(entries: readonly CompleteEntry[]): Omit<UnsealedRecord, 'seq' | 'prev'>[] {
  const records: Omit<UnsealedRecord, 'seq' | 'prev'>[] = [];
  const places = new Map<string, number>();
  for (const entry of entries) {
    const { kind, event, by, subject, object, action, reason, from } = entry;
    const key = JSON.stringify([event, by, subject, object, action, reason]);
    const place = kind === 'denial' && !from ? places.get(key) : undefined;
    const same = place === undefined ? undefined : records[place];
    if (place !== undefined && same) {
      records[place] = { ...same, count: same.count + entry.count, lastAt: entry.lastAt ?? entry.at };
    } else {
      if (kind === 'denial' && !from) places.set(key, records.length);
      records.push(entry);
    }
  }
  return records;
}
