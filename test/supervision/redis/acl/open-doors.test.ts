import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requireSafe } from '../../../../src/supervision/redis/acl/redis-guard.ts';
import { freePort } from '../../../support/free-port.ts';
import { startTestRedis, type TestRedis } from '../../../support/redis.ts';

let redis: TestRedis;
before(async () => {
  redis = await startTestRedis();
});
after(() => redis.stop());

const change = (...command: string[]) => redis.admin.command(command);

test('the Redis of the tree has no open door', async () => {
  await redis.createIncarnation('servant_1');
  assert.deepEqual(await redis.admin.openDoors(), { open: [], weak: [] });
});

test('a port without TLS', async () => {
  const port = await freePort();
  await change('CONFIG', 'SET', 'port', String(port));
  assert.deepEqual((await redis.admin.openDoors()).open, [`port ${port} speaks without TLS`]);
  await change('CONFIG', 'SET', 'port', '0');
});

test('clients that have not logged in', async () => {
  await change('ACL', 'SETUSER', 'default', 'on', 'nopass');
  const { open } = await redis.admin.openDoors();
  assert.match(open.join('\n'), /not logged in/);
  assert.throws(() => requireSafe(open), { code: 'redis_refused' });
  await change('ACL', 'SETUSER', 'default', 'off', 'resetpass');
});

test('users of others that reach into the tree, and none that do not', async () => {
  const { keys } = redis;
  await change('ACL', 'SETUSER', 'app', 'on', '>app', '~app:*', '+@all', '-@admin', '-@dangerous');
  assert.deepEqual((await redis.admin.openDoors()).open, []);
  for (const rule of [`%R~${keys.root}*`, '~*', '+config|set']) {
    await change('ACL', 'SETUSER', 'spy', 'reset', 'on', '>spy', '+@read', '+@write', rule);
    assert.match((await redis.admin.openDoors()).open.join('\n'), /user spy reaches/, rule);
  }
  await change('ACL', 'DELUSER', 'spy', 'app');
});

test('no client certificate asked for is a weakness, not an open door', async () => {
  await change('CONFIG', 'SET', 'tls-auth-clients', 'no');
  const { open, weak } = await redis.admin.openDoors();
  assert.deepEqual(open, []);
  assert.equal(weak.length, 1);
  await change('CONFIG', 'SET', 'tls-auth-clients', 'yes');
});
