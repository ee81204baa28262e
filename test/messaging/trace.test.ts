import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encodeParts } from '../../src/messaging/codec.ts';
import { Journal } from '../../src/messaging/journal.ts';
import { readMessage, readTrace } from '../../src/messaging/trace.ts';
import { type EdgeKey, edgeKey } from '../../src/protocol/keys.ts';
import type { JournalLine } from '../../src/protocol/local-api.ts';
import type { ElderMessage } from '../../src/protocol/message.ts';
import { roster } from '../../src/protocol/roster.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { commitOf, hasCode, readAll } from './conformance.ts';

let redis: TestRedis;
before(async () => {
  redis = await startTestRedis();
});
after(() => redis.stop());

const elders = roster(2).map((elder) => elder.name);

function message(
  id: string,
  source: string,
  target: string,
  cause: string | null,
  story = 'story',
): ElderMessage {
  return {
    message_id: id,
    source_elder: source,
    target_elder: target,
    message_type: 'command',
    payload: { of: id },
    priority: 5,
    timestamp: '2026-01-01T00:00:00.000Z',
    requires_ack: false,
    action: 'sage.task.create',
    correlation_id: story,
    ...(cause === null ? {} : { causation_id: cause }),
  };
}

function send(...list: ElderMessage[]) {
  return list.map((each) => ({ target: each.target_elder, lane: 'normal', ...encodeParts(each) }) as const);
}

test('a story is found across edges, with how far each message came', async () => {
  const claude = await redis.brokerFor('claude_elder');
  const sage = await redis.brokerFor('task_sage');
  const servant = await redis.brokerFor('servant_1');
  const noise = Array.from({ length: 1_200 }, (_, index) =>
    message(`n${index}`, 'claude_elder', 'task_sage', null, 'x'),
  );
  await claude.commit(
    commitOf(1, { send: send(...noise, message('m1', 'claude_elder', 'task_sage', null)) }),
  );

  const inEdge: EdgeKey = edgeKey('claude_elder', 'normal');
  const first = (await readAll(sage, inEdge)).at(-1)!;
  const line: JournalLine = { e: inEdge, i: first.id, m: 'm1', d: 1_700_000_000_000, t: 2 };
  await sage.commit(
    commitOf(1, {
      positions: new Map([[inEdge, { id: first.id, sequence: first.sequence }]]),
      send: send(
        message('m2', 'task_sage', 'servant_1', 'm1'),
        message('m3', 'task_sage', 'servant_2', 'm1'),
      ),
      journal: JSON.stringify([line]),
    }),
  );
  const toServant: EdgeKey = edgeKey('task_sage', 'normal');
  const [second] = await readAll(servant, toServant);
  const dead = { code: 'malformed', reason: 'no good' };
  const deadLine: JournalLine = { e: toServant, i: second!.id, m: 'm2', d: 5, t: 5, x: dead };
  await servant.commit(
    commitOf(1, {
      positions: new Map([[toServant, { id: second!.id, sequence: 1 }]]),
      journal: JSON.stringify([deadLine]),
    }),
  );

  const traced = await readTrace(redis.admin, redis.keys, 'story', { elders });
  assert.deepEqual(
    traced.map(({ id, source, target, state, attempts, error }) => ({
      id,
      source,
      target,
      state,
      attempts,
      error,
    })),
    [
      { id: 'm1', source: 'claude_elder', target: 'task_sage', state: 'acted', attempts: 2, error: null },
      { id: 'm2', source: 'task_sage', target: 'servant_1', state: 'dead', attempts: 5, error: dead },
      { id: 'm3', source: 'task_sage', target: 'servant_2', state: 'queued', attempts: 0, error: null },
    ],
  );
  const [m1, , m3] = traced;
  assert.equal(m1!.sentAt, Number(first.id.split('-')[0]));
  assert.equal(m1!.deliveredAt, 1_700_000_000_000);
  assert.ok(m1!.actedAt! >= m1!.sentAt);
  assert.equal(m1!.incarnation, 1);
  assert.deepEqual([m3!.deliveredAt, m3!.actedAt, m3!.incarnation], [null, null, null]);

  const single = await readMessage(redis.admin, redis.keys, 'm2', { elders });
  assert.deepEqual(single.payload, { of: 'm2' });
  assert.equal(single.state, 'dead');
  await assert.rejects(readMessage(redis.admin, redis.keys, 'm9', { elders }), hasCode('not_found'));
  assert.deepEqual(await readTrace(redis.admin, redis.keys, 'no such story', { elders }), []);
});

test('each message of a run of the journal is told as one that was acted on', async () => {
  const claude = await redis.brokerFor('claude_elder');
  const sage = await redis.brokerFor('rag_sage');
  const first = await claude.load();
  const many = Array.from({ length: 200 }, (_, index) =>
    message(`r${index}`, 'claude_elder', 'rag_sage', null, `r${index}`),
  );
  await claude.commit(commitOf(first.commitNumber + 1, { send: send(...many) }));
  const inEdge: EdgeKey = edgeKey('claude_elder', 'normal');
  const entries = await readAll(sage, inEdge);
  const journal = new Journal();
  for (const entry of entries.slice(0, 150)) journal.acted({ ...entry, deliveredAt: 1_700_000_000_000 }, 'r');
  const position = { id: entries[149]!.id, sequence: 150 };
  await sage.commit(commitOf(1, { positions: new Map([[inEdge, position]]), journal: journal.text() }));
  const shown = async (id: string) => {
    const { state, attempts, deliveredAt, payload } = await readMessage(redis.admin, redis.keys, id, {
      elders,
    });
    return { state, attempts, deliveredAt, payload };
  };
  for (const id of ['r0', 'r63', 'r64', 'r149']) {
    const told = { state: 'acted', attempts: 1, deliveredAt: 1_700_000_000_000, payload: { of: id } };
    assert.deepEqual(await shown(id), told);
  }
  const queued = { state: 'queued', attempts: 0, deliveredAt: null, payload: { of: 'r150' } };
  assert.deepEqual(await shown('r150'), queued);
});
