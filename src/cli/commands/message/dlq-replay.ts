import { fromWireError } from '../../../protocol/errors.ts';
import type { CommandInput } from '../../command-spec.ts';
import { orderDeadLetter } from '../../message/dead-letter-order.ts';
import type { Session } from '../../session.ts';

/**
 * Has a dead letter handled once more. Throws `not_found`, `timed_out` where its elder does not come to it in
 * time, and the error with which it has become a dead letter again.
 */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const { before, after } = await orderDeadLetter(session, 'replay', input);
  const { id, elder } = before;
  const last = after?.errors.at(-1);
  if (last) throw fromWireError({ code: last.code, reason: last.reason, detail: after });
  session.print({ id, elder, state: 'acted' }, () => `${session.text.dlq.acted(id, elder)}\n`);
}
