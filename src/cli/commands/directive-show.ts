import type { CommandInput } from '../command-table.ts';
import { viewText } from '../directive-text.ts';
import { GatewayClient } from '../gateway-client.ts';
import type { Session } from '../session.ts';

/** Shows a directive with its tasks. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const view = await new GatewayClient(session).view(input.arguments[0]!);
  session.print(view, () => viewText(view, session.text, Date.now()));
}
