import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';

const defaultReason = 'cancelled by the human';

/** Cancels a directive. Throws `not_found`, or `conflict` if it has ended. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const directiveId = input.arguments[0]!;
  const reason = input.text('reason') ?? defaultReason;
  const client = new GatewayClient(session);
  const payload = { directiveId, reason };
  const record = await client.ask('grand_elder', 'development.directive.cancel', payload);
  session.print(record, () => `${session.text.directive.cancelled(directiveId, record.state)}\n`);
}
