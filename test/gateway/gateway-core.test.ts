import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Effect } from '../../src/agents/core.ts';
import { type AnsweredEffect, type AskAnswer, gatewayCore } from '../../src/gateway/gateway-core.ts';
import type { ParsedAsk } from '../../src/protocol/local-api.ts';
import { hasCode } from '../messaging/conformance.ts';
import { type Life, MemoryTree } from '../support/memory-tree.ts';

const self = 'gateway';

let tree: MemoryTree;
let life: Life;
let answered: AnsweredEffect[];

async function start(): Promise<void> {
  const perform = (effect: Effect) => void answered.push(effect as AnsweredEffect);
  life = await tree.start(self, gatewayCore(), { perform });
}

beforeEach(async () => {
  tree = new MemoryTree();
  answered = [];
  await start();
});

const cancelling = { action: 'development.directive.cancel', payload: { directiveId: 'd', reason: '' } };

/** The id of the directive that an answer is about. */
function resultOf(answer: AskAnswer | null): unknown {
  return answer && 'result' in answer && (answer.result as { id?: unknown }).id;
}

async function ask(changes: Partial<ParsedAsk> = {}): Promise<{ answer: AskAnswer | null }> {
  const usual = { target: 'grand_elder', priority: 5, timeoutMs: 1_000, idempotencyKey: 'key-0001' };
  const query = { action: 'development.directive.show', payload: { directiveId: 'd' } };
  const accepted = await life.agent.input({ kind: 'ask', ...usual, ...query, ...changes });
  return accepted as unknown as { answer: AskAnswer | null };
}

const questions = () => tree.sent(self, 'grand_elder');

async function answer(result: object): Promise<void> {
  const causation_id = questions().at(-1)?.message_id as string;
  const payload = { result: result as never };
  await tree.send(tree.message('grand_elder', self, 'reply.result', payload, { causation_id }));
}

async function refuse(error: { code: string; reason: string }): Promise<void> {
  const causation_id = questions().at(-1)?.message_id as string;
  await tree.send(tree.message('grand_elder', self, 'reply.error', error as never, { causation_id }));
}

const record = {
  id: 'd',
  title: 't',
  goal: '',
  workspace: '/w',
  taskCount: 1,
  state: 'accepted',
  reason: null,
  submittedAt: 1,
  finishedAt: null,
  summary: null,
  lessons: [],
};

test('a command travels in the story of its directive, a look at it does not', async () => {
  await ask(cancelling);
  await ask({ idempotencyKey: 'key-0002' });
  assert.deepEqual(
    questions().map(({ correlation_id }) => correlation_id),
    ['d', 'key-0002'],
  );
});

test('an answer comes back under the key of its question', async () => {
  assert.deepEqual(await ask(), { answer: null });
  await answer(record);
  assert.deepEqual(
    answered.map(({ key, answer }) => [key, resultOf(answer)]),
    [['key-0001', 'd']],
  );
});

test('the same command under the same key is asked once, and its answer kept', async () => {
  await ask(cancelling);
  assert.deepEqual(await ask(cancelling), { answer: null });
  await answer(record);
  assert.equal(resultOf((await ask(cancelling)).answer), 'd');
  assert.equal(questions().length, 1);
});

test('an answer is not lost by a restart of the gateway', async () => {
  await ask(cancelling);
  life.kill();
  await answer(record);
  await start();
  assert.equal(resultOf((await ask(cancelling)).answer), 'd');
});

test('the answer to a query is not kept', async () => {
  await ask();
  await answer(record);
  assert.deepEqual(tree.rows(self, 'requests'), []);
  await ask();
  assert.equal(questions().length, 2);
});

test('another request under the same key is a conflict', async () => {
  await ask();
  await assert.rejects(ask({ payload: { directiveId: 'other' } }), hasCode('conflict'));
});

const codeOf = (index: number) => {
  const found = answered[index]?.answer;
  return found && 'error' in found ? found.error.code : found;
};

test('a query without an answer in time says so, and may be asked anew', async () => {
  await ask();
  await tree.clock.advance(1_000);
  assert.equal(codeOf(0), 'timed_out');
  assert.deepEqual(await ask(), { answer: null });
  assert.equal(questions().length, 2);
});

test('a command without an answer in time says so; the same key waits for that answer and asks nothing anew', async () => {
  await ask(cancelling);
  await tree.clock.advance(1_000);
  assert.equal(codeOf(0), 'timed_out');
  assert.deepEqual(await ask(cancelling), { answer: null });
  await tree.clock.advance(1_000);
  assert.equal(codeOf(1), 'timed_out');
  // It was acted on in time, and its answer was late.
  await answer(record);
  assert.equal(resultOf((await ask(cancelling)).answer), 'd');
  assert.equal(questions().length, 1);
});

test('a command that expired before it was acted on may be asked anew', async () => {
  await ask(cancelling);
  await tree.clock.advance(1_000);
  await refuse({ code: 'expired', reason: 'too late' });
  assert.deepEqual(await ask(cancelling), { answer: null });
  assert.equal(questions().length, 2);
});

test('kept answers go after their time', async () => {
  await ask(cancelling);
  await answer(record);
  await tree.clock.advance(600_000);
  assert.deepEqual(tree.rows(self, 'requests'), []);
});

test('who or what is unknown, or not for the human, is refused and leaves nothing', async () => {
  await assert.rejects(ask({ target: 'nobody' }), hasCode('not_found'));
  await assert.rejects(ask({ action: 'no.such.action' }), hasCode('not_found'));
  await assert.rejects(ask({ target: 'servant_1', action: 'elder.ping', payload: {} }), hasCode('denied'));
  await assert.rejects(ask({ payload: {} }), hasCode('malformed'));
  assert.deepEqual([tree.rows(self, 'requests'), tree.rows(self, '@asks')], [[], []]);
});

test('the older name of the grand elder is understood', async () => {
  await ask({ target: 'grand_elder_maru', action: 'elder.ping', payload: {} });
  assert.equal(questions().length, 1);
});
