import type { CommandInput } from '../../command-spec.ts';
import { orderDeadLetter } from '../../message/dead-letter-order.ts';
import type { Session } from '../../session.ts';

/** Throws a dead letter away. Throws `not_found`, and `timed_out` where its elder does not do it in time. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const { before } = await orderDeadLetter(session, 'discard', input);
  const { id, elder } = before;
  session.print({ id, elder, state: 'discarded' }, () => `${session.text.dlq.discarded(id)}\n`);
}
