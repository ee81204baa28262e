import type { AuditHead } from '../../../protocol/audit.ts';
import { asElderError } from '../../../protocol/errors.ts';
import { exitCodes } from '../../../protocol/exit-codes.ts';
import { verifyAudit } from '../../../telemetry/audit/verify-audit.ts';
import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';

/** Asks what Redis knows as the end of the log; gives none, with a word about it, where nobody can tell. */
async function anchorOf(session: Session): Promise<AuditHead | null> {
  try {
    const anchor = await new ManagerClient(session.folder, session.signal).auditAnchor();
    if (anchor === null) session.note(session.text.audit.noAnchor);
    return anchor;
  } catch (thrown) {
    const { code } = asElderError(thrown);
    if (code !== 'not_running' && code !== 'redis_unreachable') throw thrown;
    session.note(session.text.audit.noAnchor);
    return null;
  }
}

/** Checks the audit log from its first line to its last; exit code 0 only if all of it is as it was written. */
export async function run(session: Session, _: CommandInput): Promise<number> {
  const { audit } = session.text;
  // Before the log, which may grow meanwhile.
  const anchor = await anchorOf(session);
  const found = await verifyAudit(session.folder.audit, anchor);
  session.print(found, () => {
    if (found.ok) return `${audit.ok(found.records, found.head.seq, anchor !== null)}\n`;
    const lines = found.problems.map(({ kind, segment, line, reason }) => {
      const place = segment === null ? audit.end : `${segment}:${line}`;
      return `${place}  ${kind}  ${reason}\n`;
    });
    return `${audit.bad(found.problems.length)}\n${lines.join('')}`;
  });
  return found.ok ? exitCodes.ok : exitCodes.failed;
}
