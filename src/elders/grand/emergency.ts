import type { Context } from '../../agents/core.ts';
import type { PayloadOf } from '../../protocol/actions.ts';
import { ElderError } from '../../protocol/errors.ts';
import { fixedElders } from '../../protocol/roster.ts';

type Order = PayloadOf<'emergency.halt'>;

/** A halt in force; its key is the directive, or `*` for all. */
interface HaltRow {
  readonly reason: string;
  readonly at: number;
}

const present = (ctx: Context) => ctx.table<PayloadOf<'supervision.servants'>>('staff');
const halts = (ctx: Context) => ctx.table<HaltRow>('halts');
const keyOf = (directiveId: string | null) => directiveId ?? '*';

/** Has every other process of the tree know, in one commit and in the lane that passes all others. */
function tellAll(ctx: Context, action: 'emergency.halt' | 'emergency.resume', order: Order, by: string) {
  const others = fixedElders.map(({ name }) => name as string).filter((name) => name !== ctx.self);
  const told = [...others, ...(present(ctx).get('now')?.names ?? ctx.servants)];
  for (const name of told) ctx.send(name, action, order, { priority: 10 });
  ctx.announce({ kind: 'emergency', action, ...order });
  const { directiveId, reason } = order;
  const event = action === 'emergency.halt' ? 'halt' : 'resume';
  ctx.audit({ kind: 'emergency', event, subject: by, object: directiveId ?? 'everything', action, reason });
  return { ...order, at: ctx.now(), told };
}

/** Notes which servants there are. */
export function noteServants(ctx: Context, order: PayloadOf<'supervision.servants'>): void {
  const names = order.names.filter((name) => ctx.servants.includes(name));
  present(ctx).put('now', { ...order, names });
}

/** Halts a directive, or all with `null`; a halt that is in force already is told again. */
export function halt(ctx: Context, order: Order, by: string) {
  const { directiveId, reason } = order;
  halts(ctx).put(keyOf(directiveId), { reason, at: ctx.now() });
  return tellAll(ctx, 'emergency.halt', order, by);
}

/** Takes a halt back. Throws `conflict` where none is in force. */
export function resume(ctx: Context, order: Order, by: string) {
  const key = keyOf(order.directiveId);
  if (!halts(ctx).has(key)) {
    throw new ElderError('conflict', `${order.directiveId ?? 'the tree'} is not halted`);
  }
  halts(ctx).delete(key);
  return tellAll(ctx, 'emergency.resume', order, by);
}

/** Forgets the halt of a directive that has ended. */
export function clearHalt(ctx: Context, directiveId: string): void {
  if (!halts(ctx).has(directiveId)) return;
  resume(ctx, { directiveId, reason: 'the directive has ended' }, ctx.self);
}

/** Why a directive makes no progress: the reason of the halt in force, or `null`. */
export function haltOf(ctx: Context, directiveId: string): string | null {
  return (halts(ctx).get('*') ?? halts(ctx).get(directiveId))?.reason ?? null;
}
