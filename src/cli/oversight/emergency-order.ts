import type { CommandInput } from '../command-spec.ts';
import { GatewayClient } from '../connection/gateway-client.ts';
import type { Session } from '../session.ts';

const defaultReason = 'ordered by the human';

/** Gives an emergency order for the directive named on the command line, or for all. */
export async function orderEmergency(
  session: Session,
  action: 'emergency.halt' | 'emergency.resume',
  input: CommandInput,
): Promise<void> {
  const directiveId = input.arguments[0] ?? null;
  const order = { directiveId, reason: input.text('reason') ?? defaultReason };
  const answer = await new GatewayClient(session).ask('grand_elder', action, order, { priority: 10 });
  const say = action === 'emergency.halt' ? session.text.emergency.halted : session.text.emergency.resumed;
  session.print(answer, () => `${say(directiveId, answer.told.length)}\n`);
}
