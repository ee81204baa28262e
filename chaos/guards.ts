import { aclRules } from '../src/identity/redis-acl.ts';
import { createRedisUser } from '../src/identity/redis-user.ts';
import { commitLibrary } from '../src/messaging/redis/commit-library.ts';
import type { RedisCredential } from '../src/protocol/bootstrap.ts';
import { treeKeys } from '../src/protocol/keys.ts';
import type { RedisAdmin } from '../src/supervision/redis/redis-admin.ts';

/** Guards that a run may switch off to show that the checker notices. They exist in these programs only. */
export const guardNames = ['fencing', 'commit-number'] as const;
export type GuardName = (typeof guardNames)[number];

/** What each guard asks before it refuses. */
const guardConditions: Readonly<Record<GuardName, string>> = {
  fencing: 'if incarnation ~= ARGV[2] then',
  'commit-number': 'if number ~= landed + 1 then',
};

/** Loads the commit function, with the guards that are off never refusing. Throws when there is no such guard. */
export async function loadLibrary(admin: RedisAdmin, off: readonly GuardName[]): Promise<void> {
  if (off.length === 0) return admin.loadLibrary();
  let weakened = commitLibrary;
  for (const guard of off) {
    const condition = guardConditions[guard];
    if (!weakened.includes(condition)) throw new Error(`the commit function has no guard ${guard}`);
    weakened = weakened.replace(condition, 'if false then');
  }
  await admin.command(['FUNCTION', 'LOAD', 'REPLACE', weakened]);
}

/** Begins an incarnation as the manager does; with the fencing off the predecessor keeps its user. */
export async function createIncarnation(
  admin: RedisAdmin,
  options: { tree: string; name: string; servants: number; off: readonly GuardName[] },
): Promise<RedisCredential> {
  const { tree, name, servants, off } = options;
  if (!off.includes('fencing')) return admin.users.createIncarnation(name);
  const incarnation = Number(await admin.command(['INCR', treeKeys(tree).incarnation(name)]));
  const { credential, passwordHash } = createRedisUser(tree, name, incarnation);
  const rules = aclRules({ tree, name, servants, passwordSha256: passwordHash });
  await admin.command(['ACL', 'SETUSER', credential.username, ...rules]);
  await admin.command(['ACL', 'SAVE']);
  return credential;
}
