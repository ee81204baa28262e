import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { managerEventText } from '../../tree/manager-event-text.ts';

/** Puts a changed configuration in force. Throws `config_invalid` or `conflict`, and nothing has changed then. */
export async function run(session: Session): Promise<void> {
  const { text, folder, signal } = session;
  // Checked here too, so that its problems are told in place.
  await session.config();
  const changed = await new ManagerClient(folder, signal).reload((event) =>
    session.note(managerEventText(event, text)),
  );
  session.print({ changed }, () =>
    changed.length === 0 ? `${text.reload.nothing}\n` : `${text.reload.done(changed.join(', '))}\n`,
  );
}
