import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AuditSink } from '../../telemetry/audit/audit-log.ts';
import { operationEntry } from '../audit/operation-entry.ts';
import type { TreeAlarms } from './tree-alarms.ts';

const maxReason = 2_000;

/** Notes, at once, why this manager dies, for the next one: this one can tell nobody any more. */
export function noteDeath(path: string, what: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  writeFileSync(path, `${what}: ${text}`.slice(0, maxReason), { mode: 0o600 });
}

/** Has the audit log and an incident tell why the last manager died, where it left a note; once. */
export function tellOfDeath(path: string, { audit, alarms }: { audit: AuditSink; alarms: TreeAlarms }): void {
  let reason: string;
  try {
    reason = readFileSync(path, 'utf8').slice(0, maxReason);
  } catch {
    return;
  }
  audit.record(operationEntry({ event: 'manager_died', object: 'the manager', reason }));
  alarms.raise({
    fingerprint: 'manager:died',
    title: 'The manager died of an error that nobody handled',
    severity: 'critical',
    detail: reason,
  });
  rmSync(path, { force: true });
}
