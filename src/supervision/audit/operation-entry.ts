import type { AuditEntry } from '../../protocol/audit.ts';
import { asElderError } from '../../protocol/errors.ts';
import type { AuditSink } from '../../telemetry/audit/audit-log.ts';

/** Something that changes how a tree runs, besides a change of its configuration. */
export interface Operation {
  readonly event: 'up' | 'down' | 'restart' | 'reload' | 'scaled' | 'manager_died';
  /** On whose word; `null` where it is on nobody's. */
  readonly subject?: string | null;
  /** To what it is done; the tree without it. */
  readonly object?: string;
  readonly reason?: string | null;
  readonly detail?: AuditEntry['detail'];
}

/** Gives the audit entry of an operation. */
export function operationEntry({
  event,
  subject = null,
  object,
  reason = null,
  detail,
}: Operation): AuditEntry {
  return {
    kind: 'configuration',
    event,
    by: 'manager',
    subject,
    object: object ?? 'the tree',
    reason,
    ...(detail && { detail }),
  };
}

/**
 * Carries out an operation that a person asked for: it is recorded before it begins, so that it is even if the manager
 * dies of it, and again when it fails. Rejects as the work does.
 */
export async function recorded<T>(
  audit: AuditSink,
  operation: Omit<Operation, 'subject'>,
  work: () => Promise<T>,
): Promise<T> {
  const entry = operationEntry({ ...operation, subject: 'human' });
  audit.record(entry);
  try {
    return await work();
  } catch (thrown) {
    const { code, reason } = asElderError(thrown);
    audit.record({
      ...entry,
      event: `${operation.event}_failed`,
      reason: `${code}: ${reason}`.slice(0, 2_000),
    });
    throw thrown;
  }
}
