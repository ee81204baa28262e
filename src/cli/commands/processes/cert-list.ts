import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';
import { timeText } from '../../text/times.ts';

/** Lists every certificate that the authority has issued and that is not long over. */
export async function run(session: Session): Promise<void> {
  const list = await new ManagerClient(session.folder, session.signal).certificates();
  const { text } = session;
  session.print(list, () => {
    const rows = list.certificates.map((row) => [
      row.name,
      text.cert.states[row.state],
      row.serial,
      timeText(row.issuedAt),
      timeText(row.expiresAt),
      oneLine(row.subjectAltName),
      row.reason === null ? '' : oneLine(row.reason),
    ]);
    const root = text.cert.root(list.root.slice(0, 16), text.cert.rotations[list.rotation]);
    return `${root}\n${renderTable([text.cert.head, ...rows])}`;
  });
}
