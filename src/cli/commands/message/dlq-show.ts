import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import { errorRows } from '../../message/error-rows.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';

/** Shows one dead letter with all its errors. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const letter = await new ManagerClient(session.folder, session.signal).deadLetter(input.arguments[0]!);
  session.print(letter, () => {
    const { errors, ...facts } = letter;
    const rows = Object.entries(facts).map(([key, value]) => [key, oneLine(String(value ?? '-'))]);
    return `${renderTable(rows)}\n${errorRows(errors)}`;
  });
}
