import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { listText } from '../../directive/directive-text.ts';
import type { Session } from '../../session.ts';

/** Lists the newest directives. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const client = new GatewayClient(session);
  const limit = input.number('limit') ?? 50;
  const answer = await client.ask('grand_elder', 'development.directive.list', { limit });
  session.print(answer, () => listText(answer.directives, session.text));
}
