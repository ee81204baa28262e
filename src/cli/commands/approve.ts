import { orderApproval } from '../approval-order.ts';
import type { CommandInput } from '../command-table.ts';
import type { Session } from '../session.ts';

/** Lets what waits be carried out, once. Throws `not_found`, `conflict`. */
export function run(session: Session, input: CommandInput): Promise<void> {
  return orderApproval(session, 'approve', input);
}
