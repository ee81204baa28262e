import type { RedisCommands } from '../../messaging/redis/redis-commands.ts';
import { replyArray, replyString } from '../../messaging/redis/replies.ts';
import { ElderError } from '../../protocol/errors.ts';

/** What the Redis in use is like; `warnings` name what weakens the guarantees of the tree. */
export interface RedisFacts {
  readonly version: string;
  readonly pid: number;
  readonly warnings: readonly string[];
}

/** The oldest Redis that has functions and ACL selectors. */
const oldestMajor = 7;

/** Looks at what this Redis is; `key` is one of the tree. Throws `redis_refused` when the tree cannot run on it. */
export async function verifyRedis(
  redis: RedisCommands,
  { key, savesUsers }: { key: string; savesUsers: boolean },
): Promise<RedisFacts> {
  const info = replyString(await redis.command(['INFO', 'server']), 'its description');
  const fact = (field: string) => new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const version = fact('redis_version');
  if (Number.parseInt(version, 10) < oldestMajor) {
    throw new ElderError('redis_refused', `Redis ${version} is too old: ${oldestMajor}.0 is the oldest`);
  }
  const warnings: string[] = [];
  const wanted = { 'maxmemory-policy': 'noeviction', appendonly: 'yes' };
  for (const [name, value] of Object.entries(wanted)) {
    const reply = await redis.command(['CONFIG', 'GET', name]).catch(() => []);
    const [, present] = replyArray(reply, 'a list');
    if (present === undefined) warnings.push(`cannot see whether ${name} is ${value}`);
    else if (present !== value) warnings.push(`${name} is ${present}, not ${value}: messages can be lost`);
  }
  await requireReplayRights(redis, key);
  if (!savesUsers) warnings.push('no aclfile: users are gone when Redis restarts');
  return { version, pid: Number(fact('process_id')), warnings };
}

/**
 * Redis replays its append-only file with the rights of `default`: what that user may not do in a
 * transaction, and each commit is one, is dropped without stopping the start (seen in 7.0.15).
 */
async function requireReplayRights(redis: RedisCommands, key: string): Promise<void> {
  for (const command of [
    ['HSET', key, 'a', 'a'],
    ['HDEL', key, 'a'],
    ['XADD', key, '*', 'a', 'a'],
    ['XTRIM', key, 'MAXLEN', '1'],
    ['EXEC'],
  ]) {
    const verdict = await redis.command(['ACL', 'DRYRUN', 'default', ...command]);
    if (verdict === 'OK') continue;
    throw new ElderError(
      'redis_refused',
      `a restart of this Redis would lose every commit, because its user default may not ${command[0]}; ` +
        'give it all rights and switch it off: ACL SETUSER default off resetpass ~* &* +@all',
    );
  }
}
