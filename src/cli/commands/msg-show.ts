import type { CommandInput } from '../command-table.ts';
import { ManagerClient } from '../manager-client.ts';
import type { Session } from '../session.ts';
import { oneLine } from '../text/printable.ts';
import { renderTable } from '../text/table.ts';

/** Shows one message and what became of it. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const message = await new ManagerClient(session.folder, session.signal).message(input.arguments[0]!);
  session.print(message, () => {
    const rows = Object.entries(message).map(([key, value]) => [
      key,
      oneLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? '-')),
    ]);
    return renderTable(rows);
  });
}
