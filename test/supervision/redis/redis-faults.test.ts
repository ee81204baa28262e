import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { treeKeys } from '../../../src/protocol/keys.ts';
import type { RedisAdmin } from '../../../src/supervision/redis/redis-admin.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

const supervision = { probeInterval: '100ms' };

describe('a managed Redis that loses what it had', () => {
  let tree: SupervisedTree;
  let redis: RedisAdmin;
  before(async () => {
    tree = await SupervisedTree.create({ supervision });
    await tree.up();
    redis = await tree.redis();
  });
  after(async () => {
    redis?.close();
    await tree.remove();
  });

  const losses = () => tree.events.filter(({ kind }) => kind === 'data_lost');

  test('gets its commit function back', async () => {
    await redis.command(['FUNCTION', 'FLUSH']);
    while (!(await redis.hasLibrary())) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(losses(), []);
    assert.equal(tree.status.redis.reason, null);
  });

  test('is alarmed after FLUSHALL, and each process begins anew with a number it never had', async () => {
    const before = tree.pids();
    const incarnations = new Map(tree.status.elders.map((elder) => [elder.name, elder.incarnation]));
    await redis.command(['FLUSHALL']);
    await tree.until(() => losses().length > 0);
    const replaced = () =>
      tree.status.elders.every(
        ({ name, pid, state, incarnation }) =>
          state === 'ready' && pid !== before[name] && incarnation > (incarnations.get(name) ?? 0),
      );
    await tree.until(replaced);
    await tree.until(() => tree.status.state === 'ready');
    assert.match(tree.status.redis.reason ?? '', /lost data: .*was at incarnation 1, Redis is at 0/);
    const key = treeKeys(tree.status.tree).edge('incident_sage', 'manager', 'high');
    const args = ['XREAD', 'COUNT', '1', 'BLOCK', '20000', 'STREAMS', key, '0'];
    let reply: unknown = null;
    while (reply === null) reply = await redis.command(args, { timeoutMs: 60_000 });
    assert.match(JSON.stringify(reply), /manager:redis:data_lost/);
    assert.match(JSON.stringify(reply), /critical/);
  });
});

describe('a managed Redis that hangs', () => {
  let tree: SupervisedTree;
  after(() => tree.remove());

  test('is killed after its deadline and started again; the elders live on', async () => {
    // Long enough for a disk that is slow to take what Redis writes.
    tree = await SupervisedTree.create({ supervision: { ...supervision, redisDeadline: '5s' } });
    await tree.up();
    const elders = tree.pids();
    const { pid } = tree.status.redis;
    process.kill(pid as number, 'SIGSTOP');
    await tree.until(() => tree.status.redis.pid !== null && tree.status.redis.pid !== pid);
    await tree.until(() => tree.status.state === 'ready');
    assert.deepEqual(tree.pids(), elders);
    assert.equal(tree.status.redis.restarts, 1);
    const hung = tree.events.find(({ name, kind }) => name === 'redis' && kind === 'stopped');
    assert.match(hung?.error?.reason ?? '', /hangs: no answer for/);
  });
});

describe('a managed Redis that ends again and again', () => {
  let tree: SupervisedTree;
  after(() => tree.remove());

  test('is never given up, whatever the limit of crashes', async () => {
    tree = await SupervisedTree.create({ supervision: { intensity: 1, backoffMax: '50ms' } });
    await tree.up();
    for (let crash = 1; crash <= 3; crash += 1) {
      const { pid } = tree.status.redis;
      process.kill(pid as number, 'SIGKILL');
      await tree.until(() => tree.status.redis.pid !== null && tree.status.redis.pid !== pid);
    }
    await tree.until(() => tree.status.state === 'ready');
    assert.equal(tree.status.redis.restarts, 3);
    assert.ok(tree.events.some(({ name, kind }) => name === 'redis' && kind === 'failed'));
  });
});
