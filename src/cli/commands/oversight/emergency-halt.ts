import type { CommandInput } from '../../command-spec.ts';
import { orderEmergency } from '../../oversight/emergency-order.ts';
import type { Session } from '../../session.ts';

/** Ends running commands and lets no task start, of one directive or of all. Throws `not_found`, `conflict`. */
export function run(session: Session, input: CommandInput): Promise<void> {
  return orderEmergency(session, 'emergency.halt', input);
}
