import type { Entry } from '../messaging/broker.ts';
import type { PayloadOf } from '../protocol/actions.ts';
import type { WireError } from '../protocol/errors.ts';
import type { EdgeKey } from '../protocol/keys.ts';
import type { DeadLetter } from '../protocol/local-api.ts';
import type { ElderMessage } from '../protocol/message.ts';
import type { Context } from './core.ts';

/** A dead letter that is to be handled once more, and the message that ordered it. */
interface Replay extends DeadLetter {
  readonly order: string;
}

/** Who had a dead letter replayed or discarded, and when (ms since the epoch). */
interface OrderRow {
  readonly at: number;
  readonly by: string;
  readonly what: 'replay' | 'discard';
  readonly messageId: string;
  /** `false`: there was no such dead letter, so nothing happened. */
  readonly found: boolean;
}

interface Order {
  /** Id of the message that orders it. */
  readonly order: string;
  readonly by: string;
  /** Key of the dead letter. */
  readonly messageId: string;
}

/** What either order comes with. */
export interface Ordered {
  readonly message: ElderMessage;
  readonly source: string;
  readonly payload: PayloadOf<'elder.dead_letter.replay'>;
}

const maxLetters = 1_000;
/** Characters of all bodies together, so that a flood of large ones does not fill Redis. */
const maxLetterText = 16_777_216;
const maxOrders = 1_000;
const letters = (ctx: Context) => ctx.table<DeadLetter>('@dead');
const replays = (ctx: Context) => ctx.table<Replay>('@replays');
const orders = (ctx: Context) => ctx.table<OrderRow>('@orders');

/** Reads an order off the message that brings it. */
export function orderOf({ message, payload }: Ordered): Order {
  const { messageId, by = message.source_elder } = payload;
  return { order: message.message_id, by, messageId };
}

/** Keeps a message that was given up; the oldest go when there are more than a thousand, or than 16 MiB of them. */
export function keepLetter(ctx: Context, key: string, letter: DeadLetter): void {
  const table = letters(ctx);
  table.put(key, letter);
  let text = 0;
  for (const [, { body }] of table.entries()) text += body.length;
  if (table.size <= maxLetters && text <= maxLetterText) return;
  for (const [oldest, { body }] of [...table.entries()].sort(([, a], [, b]) => a.at - b.at)) {
    if (table.size <= maxLetters && text <= maxLetterText) return;
    table.delete(oldest);
    text -= body.length;
  }
}

function note(ctx: Context, what: OrderRow['what'], { order, by, messageId }: Order, found: boolean): void {
  const table = orders(ctx);
  table.put(order, { at: ctx.now(), by, what, messageId, found });
  ctx.log.warn({ messageId, by, order, found }, `${what} of a dead letter`);
  if (table.size <= maxOrders) return;
  const [oldest] = [...table.entries()].sort(([, a], [, b]) => a.at - b.at);
  if (oldest) table.delete(oldest[0]);
}

/** Takes a dead letter out to be handled once more; a second order finds nothing and changes nothing. */
export function orderReplay(ctx: Context, order: Order): void {
  const letter = letters(ctx).get(order.messageId);
  note(ctx, 'replay', order, letter !== undefined);
  if (!letter) return;
  letters(ctx).delete(order.messageId);
  replays(ctx).put(order.messageId, { ...letter, order: order.order });
}

/** Throws a dead letter away for good. */
export function discard(ctx: Context, order: Order): void {
  const found = letters(ctx).has(order.messageId);
  note(ctx, 'discard', order, found);
  letters(ctx).delete(order.messageId);
}

/** Whether dead letters wait to be handled once more. */
export function hasReplays(ctx: Context): boolean {
  return replays(ctx).size > 0;
}

/** Lists the dead letters that wait to be handled once more. */
export function pendingReplays(ctx: Context): [string, Replay][] {
  return [...replays(ctx).entries()];
}

/** Makes the entry of a dead letter anew, as it stood in its edge, but without a time at which it expires. */
export function toEntry({ edge, entryId: id, body }: DeadLetter): Entry {
  return { edge: edge as EdgeKey, id, sequence: 0, body: withoutExpiry(body) };
}

function withoutExpiry(body: string): string {
  try {
    const { expires_at: _, ...message } = JSON.parse(body);
    return JSON.stringify(message);
  } catch {
    // What could not be read then cannot be read now, and becomes a dead letter again.
    return body;
  }
}

/** Ends a replay: done, or a dead letter again with one more error in its history. */
export function endReplay(ctx: Context, key: string, replay: Replay, error: WireError | null): void {
  replays(ctx).delete(key);
  if (!error) return;
  const { order: _, ...letter } = replay;
  const at = ctx.now();
  const errors = [...letter.errors, { ...error, at }];
  keepLetter(ctx, key, { ...letter, at, errors, tries: letter.tries + 1, replays: letter.replays + 1 });
}

/** Gives replays up that the predecessor may have died of: whoever wants to may order them again. */
export function abandonReplays(ctx: Context): void {
  const error: WireError = { code: 'internal', reason: 'the process ended while this may have been handled' };
  for (const [key, replay] of pendingReplays(ctx)) endReplay(ctx, key, replay, error);
}
