import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';
import { timeText } from '../../text/times.ts';

/** Shows the versions of an entry, the newest first. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [id] = input.arguments as [string];
  const history = await new GatewayClient(session).ask('knowledge_sage', 'sage.knowledge.history', { id });
  session.print(history, () => {
    const rows = history.versions.map(({ version, at, by, changed, note, title }) => [
      ...[String(version), timeText(at), by, changed.join(', ') || '-', oneLine(note), oneLine(title)],
    ]);
    const dropped = history.dropped > 0 ? `${session.text.knowledge.dropped(history.dropped)}\n` : '';
    return `${renderTable([session.text.knowledge.historyHead, ...rows])}${dropped}`;
  });
}
