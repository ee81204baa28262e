import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import {
  handledBy,
  memoryOf,
  type PairElder,
  startPairElder,
  untilHandled,
} from '../../../bench/backpressure/pair.ts';
import { redisPaths } from '../../../src/supervision/redis/redis-files.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startRedis(): Promise<TestRedis> {
  const redis = await startTestRedis();
  cleanups.push(() => redis.stop());
  return redis;
}

async function startElder(
  redis: TestRedis,
  name: 'claude_elder' | 'knowledge_sage',
  edgeLimit = 10_000,
): Promise<PairElder> {
  const elder = await startPairElder(redis, name, { edgeLimit });
  cleanups.push(() => elder.kill());
  return elder;
}

test('a sender at full speed is told that the edge is full, stays small, and goes on when the receiver comes', async () => {
  const redis = await startRedis();
  const sender = await startElder(redis, 'claude_elder', 256);
  const receiver = await startElder(redis, 'knowledge_sage');
  await sender.offer(5_000, 'wait');
  await untilHandled(redis, 5_000);
  receiver.signal('SIGSTOP');
  const before = memoryOf(sender.pid).peak;
  const offered = await sender.offer(50_000, 'fail');
  assert.deepEqual(offered, { accepted: 256, full: 49_744 });
  assert.ok(sender.seen('edge:edge_full') > 0);
  const grown = memoryOf(sender.pid).peak - before;
  assert.ok(grown < 50, `the sender grew by ${grown} MB`);
  const rest = sender.offer(1_000, 'wait');
  receiver.signal('SIGCONT');
  assert.deepEqual(await rest, { accepted: 1_000, full: 0 });
  await untilHandled(redis, 6_256);
  assert.equal(await handledBy(redis), 6_256);
  assert.deepEqual(await Promise.all([sender.stop(), receiver.stop()]), [0, 0]);
});

test('a Redis at maxmemory acknowledges nothing that it has not kept, and all goes on once there is room', async () => {
  const redis = await startRedis();
  const sender = await startElder(redis, 'claude_elder');
  await sender.offer(64, 'wait');
  const info = String(await redis.admin.command(['INFO', 'memory']));
  const used = Number(/used_memory:(\d+)/.exec(info)?.[1]);
  await redis.admin.command(['CONFIG', 'SET', 'maxmemory', String(used + 300_000)]);
  let acknowledged = 0;
  const rest = sender.offer(6_400, 'wait').then(({ accepted }) => (acknowledged += accepted));
  await sender.until(() => sender.seen('commit:redis_refused') > 0);
  assert.equal(acknowledged, 0);
  await redis.admin.command(['CONFIG', 'SET', 'maxmemory', '0']);
  await rest;
  assert.ok(sender.seen('commit:free') > 0);
  const receiver = await startElder(redis, 'knowledge_sage');
  await untilHandled(redis, 6_464);
  assert.equal(await handledBy(redis), 6_464);
  assert.deepEqual(await Promise.all([sender.stop(), receiver.stop()]), [0, 0]);
});

/** Puts the data of Redis on a disk of a few MB, or says why that cannot be done here. */
function smallDisk(path: string): string | null {
  if (process.getuid?.() !== 0) return 'only root can mount a small disk';
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path]);
  return status === 0 ? null : `mount: ${stderr}`;
}

test('a full disk ends Redis before it acknowledges; started again with room, it has all that it acknowledged', async (t) => {
  const redis = await startTestRedis();
  const { data } = redisPaths(redis.folder);
  await redis.kill();
  await mkdir(data, { recursive: true });
  const hindrance = smallDisk(data);
  if (hindrance !== null) {
    await redis.restart();
    await redis.stop();
    t.skip(hindrance);
    return;
  }
  cleanups.push(async () => {
    await redis.kill();
    execFileSync('umount', [data]);
    await redis.stop();
  });
  const running = await redis.restart();
  await redis.admin.loadLibrary();
  const sender = await startElder(redis, 'claude_elder');
  await sender.offer(64, 'wait');
  const ballast = join(data, 'ballast');
  writeFileSync(ballast, Buffer.alloc(1_000_000));
  let acknowledged = 64;
  const rest = (async () => {
    for (let batch = 0; batch < 100; batch += 1) {
      acknowledged += (await sender.offer(64, 'wait')).accepted;
    }
  })();
  await running.exited;
  await sender.until(() => sender.seen('commit:redis_unreachable') > 0);
  const before = acknowledged;
  assert.ok(before < 6_464, 'the disk was not full');
  execFileSync('mount', ['-o', 'remount,size=64m', data]);
  await redis.restart();
  await rest;
  const receiver = await startElder(redis, 'knowledge_sage');
  await untilHandled(redis, acknowledged);
  assert.equal(await handledBy(redis), 6_464);
  assert.deepEqual(await Promise.all([sender.stop(), receiver.stop()]), [0, 0]);
});
