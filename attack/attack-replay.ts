import { commitCall } from '../src/messaging/redis/commit-library.ts';
import { treeKeys } from '../src/protocol/keys.ts';
import type { Stolen } from './attack-redis.ts';
import { RawRedis } from './raw-redis.ts';
import type { Tally } from './tally.ts';

const changes = {
  set: new Map([['replayed', '1']]),
  remove: new Set<string>(),
  positions: new Map(),
  send: [],
};

/** Sends commits of before and of others' incarnations again, as one identity. */
export async function tryReplay({ name, door, credential }: Stolen, tally: Tally): Promise<void> {
  const keys = treeKeys(door.tree);
  const redis = await RawRedis.login(door, credential);
  const commit = async (number: number, incarnation: number) => {
    const commit = { ...changes, number, journal: null };
    const { args } = commitCall({ keys, name, incarnation, edgeLimit: 100, retain: 100, commit });
    const { reply } = await redis.send(args);
    return Array.isArray(reply) ? String(reply[0]) : 'refused';
  };
  try {
    const { reply } = await redis.send(['HGET', keys.state(name), '@n']);
    const landed = Number(reply ?? 0);
    const { incarnation } = credential;
    const numbers = [0, 1, landed - 1, landed + 2, landed + 1_000, -1].filter((number) => number !== landed);
    for (const number of numbers) {
      const answer = await commit(number, incarnation);
      const what = `${name}: commit ${number} where ${landed} has landed → ${answer}`;
      tally.attempt({ part: 'replay', what, allowed: answer === 'OK', audit: `redis_acl ${name}` });
    }
    for (const other of [0, incarnation - 1, incarnation + 1]) {
      const answer = await commit(landed + 1, other);
      const what = `${name}: commit of incarnation ${other} in that of ${incarnation} → ${answer}`;
      tally.attempt({ part: 'replay', what, allowed: answer === 'OK', audit: `redis_acl ${name}` });
    }
    const { reply: replayed } = await redis.send(['HGET', keys.state(name), 'replayed']);
    tally.control(`${name}: no replay has left anything`, replayed === null);
    // The last commit once more is what an elder does whose answer was lost.
    if (landed > 0)
      tally.control(`${name}: the last commit again`, (await commit(landed, incarnation)) === 'STALE');
  } finally {
    redis.close();
  }
}

/** Tries the credential of an incarnation that was replaced. */
export async function tryOldCredential({ name, door, credential }: Stolen, tally: Tally): Promise<void> {
  const what = `${name}: login as incarnation ${credential.incarnation}, which was replaced`;
  const result = { part: 'replay', what, audit: `redis_login ${name}` };
  try {
    (await RawRedis.login(door, credential)).close();
    tally.attempt({ ...result, allowed: true });
  } catch {
    tally.attempt({ ...result, allowed: false });
  }
}
