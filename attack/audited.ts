import { readAudit } from '../src/telemetry/audit/read-audit.ts';

/** Names a denial as `Tally` expects it; `null` for records that no attempt can have caused. */
function nameOf(record: {
  event: string;
  by: string;
  subject?: string | null | undefined;
  object?: string | null | undefined;
}): string | null {
  const { event, by, subject, object } = record;
  if (by === 'redis') return event === 'redis_tls' ? event : `${event} ${subject ?? ''}`;
  if (event === 'receive') return `receive ${subject}>${object}`;
  return event === 'send' ? null : `port ${by}`;
}

/** Sums up the denials of an audit log by name. */
export async function auditedDenials(folder: string): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (const record of await readAudit(folder, { kind: 'denial' })) {
    const name = nameOf(record);
    if (name !== null) sums.set(name, (sums.get(name) ?? 0) + record.count);
  }
  return sums;
}

/** How the audit log agrees with what was denied. */
export interface Agreement {
  /** Denied attempts that have their line. */
  readonly audited: number;
  /** What is missing, by name. */
  readonly missing: readonly string[];
  /** Lines that no attempt explains: somebody else was denied something. */
  readonly unexplained: readonly string[];
}

/** Compares the denials of a run with those of its audit log. */
export function agree(expected: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>): Agreement {
  let audited = 0;
  const missing: string[] = [];
  const unexplained: string[] = [];
  for (const name of new Set([...expected.keys(), ...found.keys()])) {
    const [wanted, present] = [expected.get(name) ?? 0, found.get(name) ?? 0];
    audited += Math.min(wanted, present);
    if (present < wanted) missing.push(`${name}: ${wanted} denied, ${present} audited`);
    if (present > wanted) unexplained.push(`${name}: ${wanted} denied, ${present} audited`);
  }
  return { audited, missing, unexplained };
}
