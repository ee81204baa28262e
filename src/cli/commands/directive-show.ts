import type { CommandInput } from '../command-table.ts';
import { viewText } from '../directive-text.ts';
import { GatewayClient } from '../gateway-client.ts';
import type { Session } from '../session.ts';
import { waitForDirective } from '../wait-for-directive.ts';

/** Shows a directive with its tasks, with `--wait` once it has ended. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const id = input.arguments[0]!;
  if (input.flag('wait')) return waitForDirective(session, id, input.number('timeout'));
  const view = await new GatewayClient(session).view(id);
  session.print(view, () => viewText(view, session.text, Date.now()));
}
