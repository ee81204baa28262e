import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { edgeKey } from '../../../src/protocol/keys.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { brokerConformance, commitOf, fromStart, hasCode, messages, readAll } from '../conformance.ts';

let redis: TestRedis;
before(async () => {
  redis = await startTestRedis();
});
after(() => redis.stop());
const reset = async () => void (await redis.admin.command(['FLUSHDB']));

brokerConformance('RedisBroker', () => ({ reset, open: (name, limits) => redis.brokerFor(name, limits) }));

const edge = edgeKey('task_sage', 'normal');
const send = messages('servant_1', 'normal', 1, 1);

suite('RedisBroker beyond the contract', () => {
  beforeEach(reset);

  test('the commit function fences by the incarnation key too', async () => {
    const sage = await redis.brokerFor('task_sage');
    await redis.admin.command(['INCR', redis.keys.incarnation('task_sage')]);
    assert.deepEqual(await sage.commit(commitOf(1, { send })), { kind: 'fenced' });
    assert.equal((await sage.load()).commitNumber, 0);
    await sage.close();
  });

  test('a commit whose answer was lost has landed once', async () => {
    const proxy = await startTcpProxy(redis.endpoint.port);
    const endpoint = { ...redis.endpoint, port: proxy.port };
    const sage = await redis.brokerFor('task_sage', { endpoint });
    const servant = await redis.brokerFor('servant_1');
    await sage.load();
    const arrived = servant.read(fromStart(edge), { count: 1, waitMs: 60_000 });
    proxy.holdAnswers();
    const commit = commitOf(1, { send });
    const unanswered = assert.rejects(sage.commit(commit), hasCode('redis_unreachable'));
    await arrived;
    proxy.cut();
    await unanswered;
    assert.deepEqual(await sage.commit(commit), { kind: 'stale', number: 1 });
    assert.equal((await readAll(servant, edge)).length, 1);
    await Promise.all([sage.close(), servant.close()]);
    await proxy.close();
  });

  test('a connection that fell silent is given up and made anew', async () => {
    const proxy = await startTcpProxy(redis.endpoint.port);
    const endpoint = { ...redis.endpoint, port: proxy.port };
    const states: boolean[] = [];
    const servant = await redis.brokerFor('servant_1', {
      endpoint,
      onConnection: (connected) => states.push(connected),
    });
    await servant.load();
    const cursors = fromStart(edge);
    assert.deepEqual(await servant.read(cursors, { count: 1, waitMs: 1 }), []);
    proxy.goDeaf();
    await assert.rejects(servant.read(cursors, { count: 1, waitMs: 1 }), hasCode('redis_unreachable'));
    proxy.cut();
    assert.deepEqual(await servant.read(cursors, { count: 1, waitMs: 1 }), []);
    assert.deepEqual(states.slice(0, 2), [true, false]);
    await servant.close();
    await proxy.close();
  });

  test('what was answered survives kill -9 of Redis, and brokers go on by themselves', async () => {
    const sage = await redis.brokerFor('task_sage');
    const servant = await redis.brokerFor('servant_1');
    for (let number = 1; number <= 20; number += 1) {
      const set = new Map([['n', String(number)]]);
      assert.deepEqual(await sage.commit(commitOf(number, { set, send })), { kind: 'ok' });
    }
    await redis.kill();
    await assert.rejects(sage.commit(commitOf(21)), hasCode('redis_unreachable'));
    await redis.restart();
    const snapshot = await sage.load();
    assert.equal(snapshot.commitNumber, 20);
    assert.equal(snapshot.fields.get('n'), '20');
    assert.equal((await readAll(servant, edge)).length, 20);
    assert.deepEqual(await sage.commit(commitOf(21, { send })), { kind: 'ok' });
    await Promise.all([sage.close(), servant.close()]);
  });

  test('a Redis without memory, or without the function, refuses and nothing is written', async () => {
    const sage = await redis.brokerFor('task_sage');
    await redis.admin.command(['CONFIG', 'SET', 'maxmemory', '1']);
    await assert.rejects(sage.commit(commitOf(1, { send })), hasCode('redis_refused'));
    await redis.admin.command(['CONFIG', 'SET', 'maxmemory', '0']);
    await redis.admin.command(['FUNCTION', 'DELETE', 'elders']);
    await assert.rejects(sage.commit(commitOf(1, { send })), hasCode('redis_refused'));
    await redis.admin.loadLibrary();
    assert.equal((await sage.load()).commitNumber, 0);
    assert.deepEqual(await sage.commit(commitOf(1, { send })), { kind: 'ok' });
    await sage.close();
  });

  test('a commit that had arrived when its user was deleted is not carried out', async () => {
    const { admin, keys } = redis;
    const sage = await redis.brokerFor('task_sage');
    await sage.load();
    await admin.command(['CLIENT', 'PAUSE', '60000', 'WRITE']);
    const queued = assert.rejects(sage.commit(commitOf(1, { send })));
    // Redis shows a client whose command it has put off with the flag `b`.
    const isQueued = async () =>
      / flags=b .* cmd=fcall /.test(String(await admin.command(['CLIENT', 'LIST'])));
    while (!(await isQueued())) await new Promise((resolve) => setImmediate(resolve));
    await admin.command(['ACL', 'DELUSER', 'test.task_sage.1']);
    await queued;
    await admin.command(['CLIENT', 'UNPAUSE']);
    assert.equal(await admin.command(['EXISTS', keys.state('task_sage')]), 0);
    await sage.close();
  });
});
