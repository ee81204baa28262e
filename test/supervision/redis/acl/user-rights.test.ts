import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ElderError } from '../../../../src/protocol/errors.ts';
import { userDifferences } from '../../../../src/supervision/redis/acl/user-rights.ts';
import { RedisAdmin } from '../../../../src/supervision/redis/redis-admin.ts';
import { adminPassword, adminUsername } from '../../../../src/supervision/redis/redis-files.ts';
import { startTestRedis, type TestRedis } from '../../../support/redis.ts';

let redis: TestRedis;
before(async () => {
  redis = await startTestRedis();
});
after(() => redis.stop());

const principal = (name: string) => ({ tree: redis.tree, name, servants: redis.servants });

test('a user as it is made has exactly the rights of the table of edges', async () => {
  for (const name of ['grand_elder', 'task_sage', 'servant_2', 'manager']) {
    const { username } = await redis.createIncarnation(name);
    assert.deepEqual(await userDifferences(redis.admin, principal(name), username), []);
  }
});

suite('every way to widen a user is found', () => {
  const widenings: Record<string, string[]> = {
    'one command more': ['+set'],
    'a category of commands': ['+@read'],
    'all commands': ['+@all'],
    'one key more': ['%R~{et:test}:state:grand_elder'],
    'all keys': ['~*'],
    'one channel more': ['&other'],
    'a second password': ['>guessed'],
    'no password': ['nopass'],
    'one selector more': ['(+set ~{et:test}:registry)'],
    'a selector widened': ['clearselectors', '(+@all ~*)'],
    'switched off': ['off'],
    'rights taken': ['-xread'],
  };
  for (const [what, rules] of Object.entries(widenings)) {
    test(what, async () => {
      const { username } = await redis.createIncarnation('servant_1');
      await redis.admin.command(['ACL', 'SETUSER', username, ...rules]);
      const found = await userDifferences(redis.admin, principal('servant_1'), username);
      assert.ok(found.length > 0);
    });
  }
});

test('a manager that comes back fences a user whose rights somebody changed, and no other', async () => {
  const [changed, other] = [
    await redis.createIncarnation('servant_1'),
    await redis.createIncarnation('servant_2'),
  ];
  await redis.admin.command(['ACL', 'SETUSER', changed.username, '~*']);
  assert.ok((await redis.admin.users.fenceDeviantUsers()).length > 0);
  const users = (await redis.admin.command(['ACL', 'USERS'])) as string[];
  assert.ok(!users.includes(changed.username));
  assert.ok(users.includes(other.username));
});

test('where there can be more servants, users are measured by what there could be when they were made', async () => {
  const { users } = redis.admin;
  const before = await redis.createIncarnation('task_sage');
  const wider = { ...principal('task_sage'), servants: 5 };
  users.widen(5);
  try {
    assert.deepEqual(await users.deviationsOf(before.username), []);
    const found = await userDifferences(redis.admin, wider, before.username);
    assert.ok(found.length > 0, 'the control: by the new measure it lacks rights');
    const after = await redis.createIncarnation('task_sage');
    assert.deepEqual(await users.deviationsOf(after.username), []);
    assert.deepEqual(await userDifferences(redis.admin, wider, after.username), []);
    await redis.admin.command(['ACL', 'SETUSER', after.username, '~*']);
    assert.ok((await users.deviationsOf(after.username)).length > 0);
  } finally {
    users.widen(redis.servants);
  }
});

suite('a server that takes the rules and lets a user do more', () => {
  /** Stands for such a server: each user that is made gets more than was asked for. */
  class LooseAdmin extends RedisAdmin {
    override command(args: readonly string[], options?: { timeoutMs?: number }): Promise<unknown> {
      return super.command(args[1] === 'SETUSER' ? [...args, '+@all', '~*'] : args, options);
    }
  }

  async function connect(onInsecure?: (reasons: readonly string[]) => void): Promise<RedisAdmin> {
    const tls = await redis.tlsOf('manager');
    const { tree, servants, endpoint } = redis;
    const credential = { username: adminUsername, password: await adminPassword(redis.folder) };
    const admin = new LooseAdmin({
      tree,
      servants,
      endpoint,
      credential,
      tls: () => tls,
      ...(onInsecure && { onInsecure }),
    });
    await admin.ready({ waitMs: 60_000 });
    return admin;
  }

  test('is refused with the reason, and the user is gone', async () => {
    const admin = await connect();
    await assert.rejects(
      admin.users.createIncarnation('rag_sage'),
      (error) =>
        error instanceof ElderError && error.code === 'redis_refused' && /may FLUSHALL/.test(error.reason),
    );
    const users = (await admin.command(['ACL', 'USERS'])) as string[];
    assert.ok(!users.some((user) => user.startsWith('test.rag_sage.')));
    admin.close();
  });

  test('is told of where that was allowed', async () => {
    const told: string[] = [];
    const admin = await connect((reasons) => told.push(...reasons));
    await admin.users.createIncarnation('rag_sage');
    assert.ok(told.length > 0);
    admin.close();
  });
});
