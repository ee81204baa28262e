import { ElderError } from '../../../protocol/errors.ts';
import type { TracedMessage } from '../../../protocol/local-api.ts';
import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';
import { clockText } from '../../text/times.ts';

function traceText(messages: readonly TracedMessage[], head: readonly string[]): string {
  const depths = new Map<string, number>();
  const rows = messages.map((message) => {
    const { id, causationId, source, target, action, type, state, attempts, error } = message;
    const depth = causationId === null ? 0 : (depths.get(causationId) ?? -1) + 1;
    depths.set(id, depth);
    const late = message.late ? ' (late)' : '';
    const tries = attempts > 1 ? ` #${attempts}` : '';
    const why = error === null ? '' : ` ${error.code}: ${oneLine(error.reason)}`;
    const story = `${'  '.repeat(depth)}${source} → ${target}  ${type} ${action ?? ''}${late}${tries}${why}`;
    const after = (at: number | null) => (at === null ? '-' : `+${Math.max(0, at - message.sentAt)} ms`);
    return [clockText(message.sentAt), after(message.deliveredAt), after(message.actedAt), state, id, story];
  });
  return renderTable([head, ...rows]);
}

/** Shows every message of a story in causal order. Throws `not_found` where there is none. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const id = input.arguments[0]!;
  const messages = await new ManagerClient(session.folder, session.signal).trace(id);
  if (messages.length === 0) throw new ElderError('not_found', `no message belongs to ${id}`);
  session.print({ correlationId: id, messages }, () => traceText(messages, session.text.trace.head));
}
