import type { RedisCommands } from '../../messaging/redis/redis-commands.ts';
import { replyString } from '../../messaging/redis/replies.ts';

/** One connection to Redis, as Redis sees it. */
interface RedisClient {
  readonly id: string;
  /** `default` before anybody has logged in. */
  readonly user: string;
  /** Ms, in steps of a second. */
  readonly ageMs: number;
}

/** Lists the connections of a tree's processes, and those on which nobody has logged in yet. */
export async function listConnections(redis: RedisCommands, tree: string): Promise<RedisClient[]> {
  const list = replyString(await redis.command(['CLIENT', 'LIST']), 'its connections');
  return list.split('\n').flatMap((line) => {
    const field = (name: string) => new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1] ?? '';
    const user = field('user');
    if (user !== 'default' && !user.startsWith(`${tree}.`)) return [];
    return [{ id: field('id'), user, ageMs: Number(field('age')) * 1_000 }];
  });
}

/** Ends connections to Redis and resolves to how many were still there. */
export async function cutConnections(redis: RedisCommands, ids: readonly string[]): Promise<number> {
  let count = 0;
  for (const id of ids) {
    // It may have ended by itself meanwhile, which Redis reports as an error.
    await redis.command(['CLIENT', 'KILL', 'ID', id]).then(
      (killed) => (count += Number(killed)),
      () => undefined,
    );
  }
  return count;
}
