import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';
import { timeText } from '../../text/times.ts';

const defaultLimit = 50;

/** Lists the messages that were given up, of one elder or of all. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const elder = input.text('elder');
  const all = await new ManagerClient(session.folder, session.signal).deadLetters();
  const meant = all.filter((letter) => elder === undefined || letter.elder === elder);
  const letters = meant.slice(0, input.number('limit') ?? defaultLimit);
  session.print({ total: meant.length, letters }, () => {
    if (letters.length === 0) return `${session.text.dlq.none}\n`;
    const rows = letters.map(({ id, elder: keeper, source, at, tries, action, errors }) => {
      const last = errors.at(-1);
      const why = last ? `${last.code}: ${oneLine(last.reason)}` : '-';
      return [timeText(at), id, `${source} → ${keeper}`, action ?? '-', String(tries), why];
    });
    const rest = meant.length - letters.length;
    const more = rest > 0 ? `${session.text.dlq.more(rest)}\n` : '';
    return `${renderTable([session.text.dlq.head, ...rows])}${more}`;
  });
}
