import { aliases } from '../../protocol/roster.ts';
import type { CommandInput } from '../command-table.ts';
import { describeText } from '../describe-text.ts';
import { ManagerClient } from '../manager-client.ts';
import type { Session } from '../session.ts';

/** Shows all that is known of one elder. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const given = input.arguments[0] as string;
  const description = await new ManagerClient(session.folder, session.signal).describe(
    aliases[given] ?? given,
  );
  session.print(description, () => describeText(description, session.text, Date.now()));
}
