import type { CommandInput } from '../../command-spec.ts';
import { orderApproval } from '../../oversight/approval-order.ts';
import type { Session } from '../../session.ts';

/** Lets what waits be carried out, once. Throws `not_found`, `conflict`. */
export function run(session: Session, input: CommandInput): Promise<void> {
  return orderApproval(session, 'approve', input);
}
