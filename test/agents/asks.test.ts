import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Answer, Core } from '../../src/agents/core.ts';
import type { ElderMessage } from '../../src/protocol/message.ts';
import { type Life, MemoryTree } from '../support/memory-tree.ts';

const self = 'knowledge_sage';
const elder = 'claude_elder';

let tree: MemoryTree;
beforeEach(() => {
  tree = new MemoryTree();
});

const answers: { answer: Answer; data: unknown }[] = [];
beforeEach(() => {
  answers.length = 0;
});

const asker: Core = {
  handlers: {},
  onInput: (ctx) => {
    const options = { deadlineMs: 1_000, then: 'heard', data: { for: 'me' } };
    ctx.ask(self, 'sage.knowledge.search', { query: 'x' }, options);
  },
  continuations: { heard: (_, answer, data) => void answers.push({ answer, data }) },
};

async function ask(): Promise<{ life: Life; question: ElderMessage }> {
  const life = await tree.start(elder, asker);
  await life.agent.input({ kind: 'ask' });
  const [question] = tree.sent(elder, self) as [ElderMessage];
  return { life, question };
}

const reply = (question: ElderMessage, result: object = { entries: [] }, from = self) =>
  tree.message(
    from,
    elder,
    'reply.result',
    { result: result as never },
    { causation_id: question.message_id },
  );

test('an answer reaches the continuation with what it was given', async () => {
  const { question } = await ask();
  assert.equal(Date.parse(question.expires_at ?? '') - tree.clock.now(), 1_000);
  await tree.send(reply(question));
  assert.deepEqual(answers, [{ answer: { ok: true, result: { entries: [] } }, data: { for: 'me' } }]);
  await tree.clock.advance(5_000);
  assert.equal(answers.length, 1);
  assert.deepEqual(tree.rows(elder, '@asks'), []);
});

test('an answer finds an asker that restarted meanwhile', async () => {
  const { life, question } = await ask();
  life.kill();
  await tree.send(reply(question));
  await tree.start(elder, asker);
  assert.equal(answers.length, 1);
});

test('a deadline that passed while the asker was away is told to its successor', async () => {
  const { life } = await ask();
  life.kill();
  await tree.clock.advance(2_000);
  await tree.start(elder, asker);
  assert.equal(answers[0]?.answer.ok === false && answers[0].answer.error.code, 'timed_out');
});

test('a late answer, a second one and one from somebody else change nothing', async () => {
  const { question } = await ask();
  await tree.send(reply(question, { entries: [] }, 'task_sage'));
  assert.equal(answers.length, 0);
  await tree.clock.advance(1_000);
  assert.equal(answers[0]?.answer.ok === false && answers[0].answer.error.code, 'timed_out');
  await tree.send(reply(question), reply(question));
  assert.equal(answers.length, 1);
  assert.equal(tree.warnings.filter((text) => text === 'late reply').length, 3);
  assert.equal(tree.journal(elder).filter(({ l }) => l).length, 3);
  assert.equal(tree.rows(elder, '@dead').length, 0);
});

test('a question that is withdrawn is not continued, and its answer is counted as late', async () => {
  const outcomes: string[] = [];
  const withdrawing: Core = {
    ...asker,
    onInput: (ctx, input) => {
      if (input.kind === 'ask') return asker.onInput?.(ctx, input);
      return [ctx.cancelAsk(String(input.id)), ctx.cancelAsk(String(input.id))];
    },
  };
  const observer = { onHandled: (_: string, outcome: string) => void outcomes.push(outcome) };
  const life = await tree.start(elder, withdrawing, { observer });
  await life.agent.input({ kind: 'ask' });
  const [question] = tree.sent(elder, self) as [ElderMessage];
  const withdrawn = await life.agent.input({ kind: 'withdraw', id: question.message_id });
  assert.deepEqual(withdrawn, [true, false]);
  await tree.send(reply(question));
  await tree.clock.advance(5_000);
  assert.deepEqual(answers, []);
  assert.deepEqual(outcomes, ['late']);
});

test('an answer that does not fit its schema is an error', async () => {
  const { question } = await ask();
  await tree.send(reply(question, { entries: 'none' }));
  assert.equal(answers[0]?.answer.ok === false && answers[0].answer.error.code, 'malformed');
});

test('a continuation that fails on the deadline does not end its process again and again', async () => {
  const failing: Core = { ...asker, continuations: { heard: () => assert.fail('a bug') } };
  const life = await tree.start(elder, failing);
  await life.agent.input({ kind: 'ask' });
  await tree.clock.advance(1_500);
  assert.deepEqual(tree.rows(elder, '@asks'), []);
  life.agent.stop();
  await life.ended;
});
