import type { CommandInput } from '../../command-spec.ts';
import { orderApproval } from '../../oversight/approval-order.ts';
import type { Session } from '../../session.ts';

/** Ends what waits without carrying it out. Throws `not_found`, `conflict`. */
export function run(session: Session, input: CommandInput): Promise<void> {
  return orderApproval(session, 'deny', input);
}
