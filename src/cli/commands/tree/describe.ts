import { aliases } from '../../../protocol/roster.ts';
import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { describeText } from '../../tree/describe-text.ts';

/** Shows all that is known of one elder. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const given = input.arguments[0] as string;
  const description = await new ManagerClient(session.folder, session.signal).describe(
    aliases[given] ?? given,
  );
  session.print(description, () => describeText(description, session.text, Date.now()));
}
