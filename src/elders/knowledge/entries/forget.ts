import type { Context } from '../../../agents/core.ts';
import type { ReplyOf } from '../../../protocol/actions.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { findEntry } from './read.ts';
import { removeEntry } from './room.ts';
import { entriesOf } from './tables.ts';

/**
 * Removes an entry with all its versions. Throws `not_found`, and `conflict` where others are superseded by it: they
 * would be hidden behind nothing.
 */
export function forgetEntry(ctx: Context, id: string): ReplyOf<'sage.knowledge.forget'> {
  const row = findEntry(ctx, id);
  const behind = [...entriesOf(ctx).entries()].flatMap(([other, { supersededBy }]) =>
    supersededBy === id ? [other] : [],
  );
  if (behind.length > 0) {
    const first = behind.slice(0, 5).join(', ');
    throw new ElderError('conflict', `${id} replaces ${first}; change or forget what it replaces first`);
  }
  removeEntry(ctx, row);
  return { id, title: row.title, versions: row.kept.length + 1 };
}
