import type { Context } from '../../agents/core.ts';
import { discard, type Ordered, orderOf, orderReplay } from '../../agents/dead-letters.ts';
import { ElderError } from '../../protocol/errors.ts';
import { fixedElders } from '../../protocol/roster.ts';

/**
 * Hands an order about a dead letter to the elder that keeps it, for only that elder's own commit may change its
 * state. Throws `not_found` for an elder that is not in this tree.
 */
export function orderDeadLetter(ctx: Context, what: 'replay' | 'discard', received: Ordered) {
  const { elder, messageId } = received.payload;
  const names: string[] = ['gateway', ...fixedElders.map(({ name }) => name), ...ctx.servants];
  if (!names.includes(elder)) throw new ElderError('not_found', `no elder is called ${elder}`);
  if (elder !== ctx.self) {
    ctx.send(elder, `elder.dead_letter.${what}`, { elder, messageId, by: received.source });
  } else if (what === 'replay') {
    orderReplay(ctx, orderOf(received));
  } else {
    discard(ctx, orderOf(received));
  }
  return { elder, messageId };
}
