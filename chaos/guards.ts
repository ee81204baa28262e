import { aclRules } from '../src/identity/redis-acl.ts';
import { createRedisUser } from '../src/identity/redis-user.ts';
import { commitLibrary } from '../src/messaging/redis/commit-library.ts';
import type { RedisCredential } from '../src/protocol/bootstrap.ts';
import { treeKeys } from '../src/protocol/keys.ts';
import type { RedisAdmin } from '../src/supervision/redis-admin.ts';

/** Guards that a run may switch off to show that the checker notices. They exist in these programs only. */
export const guardNames = ['fencing', 'commit-number'] as const;
export type GuardName = (typeof guardNames)[number];

const guardLines: Readonly<Record<GuardName, string>> = {
  fencing: "if incarnation ~= ARGV[2] then return {'FENCED'} end",
  'commit-number': "if number ~= landed + 1 then return {'STALE', landed} end",
};

/** Loads the commit function, without the line of the guard that is off. Throws when there is no such line. */
export async function loadLibrary(admin: RedisAdmin, off: GuardName | null): Promise<void> {
  if (off === null) return admin.loadLibrary();
  const weakened = commitLibrary.replace(guardLines[off], '');
  if (weakened === commitLibrary) throw new Error(`the commit function has no line for the guard ${off}`);
  await admin.command(['FUNCTION', 'LOAD', 'REPLACE', weakened]);
}

/** Begins an incarnation as the manager does; with the fencing off the predecessor keeps its user. */
export async function createIncarnation(
  admin: RedisAdmin,
  options: { tree: string; name: string; servants: number; off: GuardName | null },
): Promise<RedisCredential> {
  const { tree, name, servants, off } = options;
  if (off !== 'fencing') return admin.createIncarnation(name);
  const incarnation = Number(await admin.command(['INCR', treeKeys(tree).incarnation(name)]));
  const { credential, passwordHash } = createRedisUser(tree, name, incarnation);
  const rules = aclRules({ tree, name, servants, passwordSha256: passwordHash });
  await admin.command(['ACL', 'SETUSER', credential.username, ...rules]);
  await admin.command(['ACL', 'SAVE']);
  return credential;
}
