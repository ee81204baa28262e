import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import { errorRows } from '../../message/error-rows.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';

/** Shows one message, what became of it and why tries at it failed. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const message = await new ManagerClient(session.folder, session.signal).message(input.arguments[0]!);
  session.print(message, () => {
    const { errors, ...facts } = message;
    const rows = Object.entries(facts).map(([key, value]) => [
      key,
      oneLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? '-')),
    ]);
    return errors.length === 0 ? renderTable(rows) : `${renderTable(rows)}\n${errorRows(errors)}`;
  });
}
