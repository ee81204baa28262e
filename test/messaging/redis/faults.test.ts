import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { handledBy, type PairElder, startPairElder, untilHandled } from '../../../bench/backpressure/pair.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

// Real processes that end at the first unhandled rejection; what they did is read from Redis.
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Stage {
  readonly redis: TestRedis;
  readonly proxy: TcpProxy;
  readonly sender: PairElder;
  readonly receiver: PairElder;
}

/** A sender and a receiver who both reach Redis through one proxy. */
async function stage(): Promise<Stage> {
  const redis = await startTestRedis();
  cleanups.push(() => redis.stop());
  const proxy = await startTcpProxy(redis.endpoint.port);
  cleanups.push(() => proxy.close());
  const endpoint = { ...redis.endpoint, port: proxy.port };
  const options = { edgeLimit: 1_000, endpoint };
  const receiver = await startPairElder(redis, 'knowledge_sage', options);
  cleanups.push(() => receiver.kill());
  const sender = await startPairElder(redis, 'claude_elder', options);
  cleanups.push(() => sender.kill());
  return { redis, proxy, sender, receiver };
}

test('idle processes notice that their connections are dead, and come back by themselves', async () => {
  const { proxy, sender, receiver } = await stage();
  const both = [sender, receiver];
  await Promise.all(both.map((elder) => elder.until(() => elder.seen('connected') > 0)));
  proxy.goDeaf();
  // No packet of the network tells them: without a watch of their own this would never be.
  await Promise.all(both.map((elder) => elder.until(() => elder.seen('disconnected') > 0)));
  proxy.cut();
  await Promise.all(both.map((elder) => elder.until(() => elder.seen('connected') > 1)));
  assert.deepEqual(await Promise.all([sender.stop(), receiver.stop()]), [0, 0]);
});

test('cut connections, kill -9 and a missing function lose nothing, double nothing and reject nothing unseen', async () => {
  const { redis, proxy, sender, receiver } = await stage();
  let areOver = false;
  const sending = (async () => {
    let accepted = 0;
    // However fast it is, each fault comes while it sends.
    while (!areOver) accepted += (await sender.offer(2_000, 'wait')).accepted;
    return accepted;
  })();
  sending.catch(() => undefined);
  await untilHandled(redis, 500);
  proxy.cut();
  await untilHandled(redis, 1_000);
  await redis.admin.command(['FUNCTION', 'FLUSH']);
  await sender.until(() => sender.seen('commit:redis_refused') > 0);
  await redis.admin.loadLibrary();
  await untilHandled(redis, 2_000);
  await redis.kill();
  await redis.restart();
  await untilHandled(redis, 3_000);
  areOver = true;
  const sent = await sending;
  await untilHandled(redis, sent);
  assert.equal(await handledBy(redis), sent);
  assert.deepEqual(await Promise.all([sender.stop(), receiver.stop()]), [0, 0]);
});

test('after FLUSHALL and after the loss of the last commits no process goes on as if nothing were', async () => {
  const { redis, sender, receiver } = await stage();
  await sender.offer(640, 'wait');
  await untilHandled(redis, 640);
  await redis.admin.command(['HINCRBY', redis.keys.state('claude_elder'), '@n', '-2']);
  const refused = assert.rejects(sender.offer(64, 'wait'), /data_lost/);
  await sender.until(() => sender.ended);
  assert.equal(sender.seen('ended:data_lost'), 1);
  await refused;
  await redis.admin.command(['FLUSHALL']);
  const next = await startPairElder(redis, 'claude_elder', { edgeLimit: 1_000 });
  cleanups.push(() => next.kill());
  await next.offer(64, 'wait');
  await receiver.until(() => receiver.ended);
  assert.equal(receiver.seen('ended:fenced'), 1);
});
