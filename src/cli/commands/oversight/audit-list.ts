import type { AuditKind, AuditRecord } from '../../../protocol/audit.ts';
import { parseDuration } from '../../../protocol/duration.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { readAudit } from '../../../telemetry/audit/read-audit.ts';
import type { CommandInput } from '../../command-spec.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';
import { timeText } from '../../text/times.ts';

const defaultLimit = 100;

function sinceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  const at = ago === undefined ? Date.parse(text) : Date.now() - ago;
  if (Number.isNaN(at))
    throw new ElderError('usage', `--since: expected 30m, 2h or a date and time, got "${text}"`);
  return at;
}

function row({ seq, at, kind, event, subject, object, action, count, by, reason }: AuditRecord): string[] {
  const whom = object === null ? (subject ?? '-') : `${subject ?? '-'} → ${object}`;
  const what = `${kind} ${event}${count > 1 ? ` ×${count}` : ''}`;
  return [String(seq), timeText(at), what, whom, action ?? '-', by, reason ?? ''].map(oneLine);
}

/** Lists what the audit log holds, the newest last; it needs no tree that runs. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const since = sinceOf(input.text('since'));
  const kind = input.text('kind') as AuditKind | undefined;
  const records = await readAudit(session.folder.audit, {
    limit: input.number('limit') ?? defaultLimit,
    ...(since !== undefined && { since }),
    ...(kind !== undefined && { kind }),
  });
  session.print({ records }, () => {
    if (records.length === 0) return `${session.text.audit.none}\n`;
    return renderTable([session.text.audit.head, ...records.map(row)]);
  });
}
