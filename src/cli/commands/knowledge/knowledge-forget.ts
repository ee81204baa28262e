import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';

/** Removes an entry with all its versions. Throws `not_found`, and `conflict` where others are superseded by it. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [id] = input.arguments as [string];
  const gone = await new GatewayClient(session).ask('grand_elder', 'development.knowledge.forget', { id });
  session.print(gone, () => `${session.text.knowledge.forgotten(oneLine(id), gone.versions)}\n`);
}
