import type { CommandInput } from '../../command-spec.ts';
import { orderEmergency } from '../../oversight/emergency-order.ts';
import type { Session } from '../../session.ts';

/** Takes a halt back. Throws `conflict` where none is in force. */
export function run(session: Session, input: CommandInput): Promise<void> {
  return orderEmergency(session, 'emergency.resume', input);
}
