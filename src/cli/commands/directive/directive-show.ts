import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { viewText } from '../../directive/directive-text.ts';
import { waitForDirective } from '../../directive/wait-for-directive.ts';
import type { Session } from '../../session.ts';

/** Shows a directive with its tasks, with `--wait` once it has ended. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const id = input.arguments[0]!;
  if (input.flag('wait')) return waitForDirective(session, id, input.number('timeout'));
  const view = await new GatewayClient(session).view(id);
  session.print(view, () => viewText(view, session.text, Date.now()));
}
