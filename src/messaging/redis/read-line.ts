import type { EdgeKey } from '../../protocol/keys.ts';
import type { Entry } from '../broker.ts';
import type { RedisConnection } from './redis-connection.ts';

/** A connection on which one read waits at a time. */
export interface ReadLine {
  readonly connection: RedisConnection;
  pending: PendingRead | null;
}

/** A read that Redis has not answered yet. */
export interface PendingRead {
  readonly cursors: ReadonlyMap<EdgeKey, string>;
  readonly count: number;
  readonly entries: Promise<Entry[]>;
}

/** Whether a read asks just what one under way does. */
export function asksTheSame(
  pending: PendingRead,
  cursors: ReadonlyMap<EdgeKey, string>,
  count: number,
): boolean {
  if (pending.count !== count || pending.cursors.size !== cursors.size) return false;
  return [...cursors].every(([edge, cursor]) => pending.cursors.get(edge) === cursor);
}
