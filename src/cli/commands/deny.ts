import { orderApproval } from '../approval-order.ts';
import type { CommandInput } from '../command-table.ts';
import type { Session } from '../session.ts';

/** Ends what waits without carrying it out. Throws `not_found`, `conflict`. */
export function run(session: Session, input: CommandInput): Promise<void> {
  return orderApproval(session, 'deny', input);
}
