import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { treeKeys } from '../../../src/protocol/keys.ts';
import { adminPassword, adminUsername } from '../../../src/supervision/redis/redis-files.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { startReplica } from '../../support/replica.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

/** How often the manager has looked through this Redis. */
async function looks(redis: TestRedis): Promise<number> {
  const stats = String(await redis.admin.command(['INFO', 'commandstats']));
  return Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test('after a failover each process is replaced, and what the replica lacks is alarmed', async () => {
  const redis = await startTestRedis();
  cleanups.push(() => redis.stop());
  const replica = await startReplica(redis);
  cleanups.push(() => replica.stop());
  const proxy = await startTcpProxy(redis.endpoint.port);
  cleanups.push(() => proxy.close());
  const { cert, key, ca } = await redis.tlsOf('manager');
  const password = await adminPassword(redis.folder);
  const tree = await SupervisedTree.create({
    redis: {
      url: `rediss://${adminUsername}:${password}@127.0.0.1:${proxy.port}`,
      ca: 'ca.pem',
      cert: 'cert.pem',
      key: 'key.pem',
    },
    supervision: { probeInterval: '100ms' },
  });
  cleanups.push(() => tree.remove());
  for (const [name, text] of Object.entries({ ca, cert, key })) {
    await writeFile(join(tree.project, `${name}.pem`), text, { mode: 0o600 });
  }
  await tree.up();
  await replica.inStep();
  const before = new Map(tree.status.elders.map(({ name, incarnation }) => [name, incarnation]));

  // From here on the replica follows no more, and what the old master still takes is lost with it.
  await replica.promote();
  const state = treeKeys(tree.status.tree).state('task_sage');
  await redis.admin.command(['HSET', state, '@n', '7']);
  const seen = (await looks(redis)) + 2;
  while ((await looks(redis)) < seen) await new Promise((resolve) => setImmediate(resolve));
  await redis.kill();
  proxy.cut(replica.port);

  const losses = () => tree.events.filter(({ kind }) => kind === 'data_lost');
  const replaced = () =>
    losses().length > 0 &&
    tree.status.state === 'ready' &&
    tree.status.elders.every(({ name, incarnation }) => incarnation > (before.get(name) ?? 0));
  await tree.until(replaced);
  // The manager itself may have committed something since the replica was in step.
  assert.match(losses()[0]?.error?.reason ?? '', /task_sage was at commit 7, Redis is at 0/);
  assert.match(tree.status.redis.reason ?? '', /task_sage was at commit 7/);
  assert.ok(await replica.admin.hasLibrary());
});
