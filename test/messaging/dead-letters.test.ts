import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readDeadLetter, readDeadLetters } from '../../src/messaging/dead-letters.ts';
import type { DeadLetter } from '../../src/protocol/local-api.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { hasCode } from './conformance.ts';

const elders = ['task_sage', 'rag_sage'];
let redis: TestRedis;
before(async () => {
  redis = await startTestRedis();
});
after(() => redis.stop());

function letter(at: number, body = '{"no":"message"}'): string {
  const errors = [{ code: 'malformed', reason: 'r', at }];
  const row: DeadLetter = { edge: 'gateway:low', entryId: '1-0', body, tries: 1, errors, at, replays: 0 };
  return JSON.stringify(row);
}
const put = (elder: string, field: string, text: string) =>
  redis.admin.command(['HSET', redis.keys.state(elder), field, text]);

test('dead letters of all elders are listed, the newest first, unreadable ones too', async () => {
  await put('task_sage', '@dead/old', letter(1));
  await put('rag_sage', '@dead/new', letter(2, 'no JSON'));
  await put('rag_sage', 'tasks/other', '{}');
  const letters = await readDeadLetters(redis.admin, redis.keys, { elders });
  assert.deepEqual(
    letters.map(({ id, elder, source, lane, action }) => [id, elder, source, lane, action]),
    [
      ['new', 'rag_sage', 'gateway', 'low', null],
      ['old', 'task_sage', 'gateway', 'low', null],
    ],
  );
});

test('one that is about to be handled once more is not gone yet', async () => {
  await put('rag_sage', '@replays/m', letter(3));
  assert.equal((await readDeadLetter(redis.admin, redis.keys, 'm', { elders })).replays, 0);
  await assert.rejects(readDeadLetter(redis.admin, redis.keys, 'x', { elders }), hasCode('not_found'));
});
