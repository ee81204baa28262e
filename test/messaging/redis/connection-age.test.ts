import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { edgeKey } from '../../../src/protocol/keys.ts';
import { listConnections } from '../../../src/supervision/redis/connection-age.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

const source = 'claude_elder';
const target = 'task_sage';
const edge = edgeKey(source, 'normal');
const messages = 200;

describe('a connection to Redis that is replaced by its age', () => {
  let redis: TestRedis;
  before(async () => {
    redis = await startTestRedis();
  });
  after(() => redis.stop());

  /** Sends and reads messages, and tells what arrived, how often a connection was missed and how many there were. */
  async function load(connectionAgeMs?: number, interfere: () => Promise<unknown> = async () => undefined) {
    const losses: string[] = [];
    const age = connectionAgeMs === undefined ? {} : { connectionAgeMs };
    const onConnection = (connected: boolean) => {
      if (!connected && received.length > 0) losses.push('lost');
    };
    const received: string[] = [];
    const sender = await redis.brokerFor(source, { ...age, onConnection });
    const reader = await redis.brokerFor(target, { ...age, onConnection });
    const seen = new Set<string>();
    const users = [source, target];
    const note = async () => {
      for (const { id, user } of await listConnections(redis.admin, redis.tree)) {
        if (users.some((name) => user.includes(`.${name}.`))) seen.add(id);
      }
    };
    const { commitNumber } = await sender.load();
    let cursor = '$';
    const write = async () => {
      for (let index = 0; index < messages || (connectionAgeMs !== undefined && seen.size < 8); index += 1) {
        const answer = await sender.commit({
          number: commitNumber + index + 1,
          set: new Map(),
          remove: new Set(),
          positions: new Map(),
          send: [{ target, lane: 'normal', body: `message ${index}` }],
          journal: null,
        });
        assert.equal(answer.kind, 'ok');
        sent.push(`message ${index}`);
        if (index % 20 === 0) await note();
        if (index === messages / 2) {
          // Before that a loss would not be noted.
          while (received.length === 0) await turn();
          await interfere();
        }
      }
    };
    const sent: string[] = [];
    const begun = await redis.admin
      .command(['XINFO', 'STREAM', redis.keys.edge(target, source, 'normal')])
      .then(
        (info) => String((info as unknown[])[(info as unknown[]).indexOf('last-generated-id') + 1]),
        () => '0',
      );
    cursor = begun;
    const writing = write();
    let ended = false;
    void writing.then(
      () => (ended = true),
      () => (ended = true),
    );
    while (!ended || received.length < sent.length) {
      const entries = await reader.read(new Map([[edge, cursor]]), { count: 50, waitMs: 500 });
      for (const entry of entries) {
        cursor = entry.id;
        received.push(entry.body);
      }
    }
    await writing;
    await Promise.all([sender.close(), reader.close()]);
    return { sent, received, losses, connections: seen.size };
  }

  test('loses no message, shows no gap, and really is another one', async () => {
    const { sent, received, losses, connections } = await load(60);
    assert.deepEqual(received, sent);
    assert.deepEqual(losses, []);
    assert.ok(connections >= 8, String(connections));
  });

  test('the check can fail: a connection that is cut instead shows a gap', async () => {
    const cut = async () => {
      for (const { id } of await listConnections(redis.admin, redis.tree)) {
        await redis.admin.command(['CLIENT', 'KILL', 'ID', id]);
      }
    };
    const { losses } = await load(undefined, cut).catch(() => ({ losses: ['lost'] }));
    assert.notDeepEqual(losses, []);
  });
});
