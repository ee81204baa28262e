import { messageText } from '../messaging/codec.ts';
import type { WireError } from '../protocol/errors.ts';
import type { EdgeKey } from '../protocol/keys.ts';
import type { AttemptRow, Failure } from '../protocol/local-api.ts';
import { maxMessageBytes } from '../protocol/message.ts';
import type { Context } from './core.ts';
import { keepLetter } from './dead-letters.ts';
import type { Delivered } from './inbox.ts';

const firstDelayMs = 100;
const longestDelayMs = 30_000;

/** Gives the tries already spent on an entry, and why they failed. */
export function spent(ctx: Context, entry: Delivered): { tries: number; errors: readonly Failure[] } {
  const row = ctx.table<AttemptRow>('@attempts').get(entry.edge);
  return row?.entryId === entry.id ? row : { tries: 0, errors: [] };
}

/** Notes one more failed try and gives the time (ms since the epoch) before which there is no next. */
export function noteFailure(ctx: Context, entry: Delivered, error: WireError): number {
  const before = spent(ctx, entry);
  const row: AttemptRow = {
    entryId: entry.id,
    tries: before.tries + 1,
    errors: [...before.errors, { ...error, at: ctx.now() }],
  };
  ctx.table<AttemptRow>('@attempts').put(entry.edge, row);
  return ctx.now() + Math.min(longestDelayMs, firstDelayMs * 2 ** before.tries);
}

/** Takes back a try that was noted before the handler ran, since what became of it is known now. */
export function withdrawFailure(ctx: Context, entry: Delivered): void {
  const { tries, errors } = spent(ctx, entry);
  const row: AttemptRow = { entryId: entry.id, tries: tries - 1, errors: errors.slice(0, -1) };
  ctx.table<AttemptRow>('@attempts').put(entry.edge, row);
}

/** Forgets the tries at the head of an edge, because the head moves on. */
export function settle(ctx: Context, edge: EdgeKey): void {
  ctx.table<AttemptRow>('@attempts').delete(edge);
}

/** Keeps a message that was given up after `tries`; the oldest go when there are more than a thousand. */
export function bury(
  ctx: Context,
  entry: Delivered,
  { id, tries, error }: { id: string | null; tries: number; error: WireError },
): void {
  const { errors } = spent(ctx, entry);
  const { edge, id: entryId } = entry;
  // Longer than any message may be: the beginning shows what it was, and the state stays bounded.
  const body = messageText(entry).slice(0, maxMessageBytes);
  const at = ctx.now();
  const letter = { edge, entryId, body, at, tries, errors: [...errors, { ...error, at }], replays: 0 };
  keepLetter(ctx, id ?? `${edge}@${entryId}`, letter);
}
