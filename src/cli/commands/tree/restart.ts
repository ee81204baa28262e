import { ElderError } from '../../../protocol/errors.ts';
import { aliases } from '../../../protocol/roster.ts';
import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { managerEventText } from '../../tree/manager-event-text.ts';

/** Puts new processes in the place of elders while the tree goes on. Throws `usage` unless it is told which. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const { text, folder, signal } = session;
  const all = input.flag('all');
  const names = input.arguments.map((name) => aliases[name] ?? name);
  if (all && names.length > 0) throw new ElderError('usage', text.restart.both);
  if (!all && names.length === 0) throw new ElderError('usage', text.restart.nothing);
  await new ManagerClient(folder, signal).restart(all ? null : names, (event) =>
    session.note(managerEventText(event, text)),
  );
  const shown = all ? text.restart.everything : names.join(', ');
  session.print({ restarted: all ? 'all' : names }, () => `${text.restart.done(shown)}\n`);
}
