import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { claudeElder } from '../../../src/elders/claude/claude-elder.ts';
import { messageText } from '../../../src/messaging/codec.ts';
import type { PayloadOf } from '../../../src/protocol/actions.ts';
import type { KnowledgeHit } from '../../../src/protocol/knowledge.ts';
import { directive, task } from '../../support/directive.ts';
import { type Life, MemoryTree } from '../../support/memory-tree.ts';

const self = 'claude_elder';
const spec = directive([task('a'), task('b')]);

let tree: MemoryTree;
let life: Life;
beforeEach(async () => {
  tree = new MemoryTree();
  life = await tree.start(self, claudeElder());
});

async function execute(): Promise<void> {
  const payload = { directiveId: 'd', directive: spec };
  await tree.send(tree.message('grand_elder', self, 'development.directive.execute', payload));
}

async function cancel(): Promise<void> {
  const payload = { directiveId: 'd', reason: 'changed my mind' };
  await tree.send(tree.message('grand_elder', self, 'development.directive.cancel', payload));
}

async function answer(entries: Pick<KnowledgeHit, 'title'>[]): Promise<void> {
  const rest = {
    ...{ id: 'k', body: '', tags: [], kind: 'lesson', source: self, confidence: null, derived: true },
    ...{ links: { directives: [], tasks: [], incidents: [] }, expiresAt: null, supersededBy: null },
    ...{ version: 1, state: 'current', createdAt: 1, updatedAt: 1, by: self, similar: [], supersedes: [] },
    ...{ score: 1, startLine: 1, endLine: 1, headings: [], snippet: '', highlights: [] },
  };
  const full = entries.map((entry) => ({ ...rest, ...entry }));
  const [question] = tree.sentAs(self, 'knowledge_sage', 'sage.knowledge.search');
  const causation_id = question?.message_id as string;
  const payload = { result: { entries: full } };
  await tree.send(tree.message('knowledge_sage', self, 'reply.result', payload, { causation_id }));
}

async function finish(changes: Partial<PayloadOf<'report.to_elder.graph_finished'>> = {}): Promise<void> {
  const payload = { directiveId: 'd', outcome: 'completed', summary: { succeeded: 2 } } as const;
  const rest = { failures: [], retried: [], durationMs: 1_500 };
  const report = { ...payload, ...rest, ...changes };
  await tree.send(tree.message('task_sage', self, 'report.to_elder.graph_finished', report));
}

const created = () => tree.sentAs(self, 'task_sage', 'sage.task.create');
const finished = () => tree.sentAs(self, 'grand_elder', 'report.directive.finished');

test('what is known is asked for before the plan is handed over, and told', async () => {
  await execute();
  const [question] = tree.sentAs(self, 'knowledge_sage', 'sage.knowledge.search');
  assert.equal(question?.payload.query, 'Release check it packs');
  assert.deepEqual(created(), []);
  await answer([{ title: 'Redis was away' }]);
  assert.deepEqual(created()[0]?.payload.tasks, spec.tasks);
  const [progress] = tree.sentAs(self, 'grand_elder', 'report.directive.progress');
  assert.deepEqual([progress?.payload.state, progress?.payload.lessons], ['planned', ['Redis was away']]);
});

test('without the knowledge sage it goes on all the same, once', async () => {
  await execute();
  await tree.clock.advance(4_999);
  assert.deepEqual(created(), []);
  await tree.clock.advance(1);
  assert.equal(created().length, 1);
  await answer([{ title: 'too late' }]);
  assert.equal(created().length, 1);
  assert.deepEqual(tree.sentAs(self, 'grand_elder', 'report.directive.progress')[0]?.payload.lessons, []);
});

test('whoever steers a task while it consults finds it at the task sage', async () => {
  await execute();
  const order = {
    directiveId: 'd',
    taskId: 'a',
    operation: 'pause',
    reason: 'wait',
    subtree: false,
  } as const;
  await tree.send(tree.message('grand_elder', self, 'development.task.control', order));
  const lane = tree.store
    .edgeOf('task_sage', self, 'normal')
    .map((entry) => JSON.parse(messageText(entry)).action);
  assert.deepEqual(lane, ['sage.task.create', 'sage.task.control']);
  await answer([{ title: 'too late' }]);
  assert.equal(created().length, 1);
});

test('a restart in the middle of consulting loses nothing', async () => {
  await execute();
  life.kill();
  await tree.start(self, claudeElder());
  await answer([]);
  assert.equal(created().length, 1);
});

test('the same directive a second time is planned once', async () => {
  await execute();
  await execute();
  await answer([]);
  await execute();
  assert.equal(created().length, 1);
});

test('a cancel while consulting ends it here, one after that goes to the task sage', async () => {
  await execute();
  await cancel();
  assert.deepEqual(finished()[0]?.payload, {
    directiveId: 'd',
    outcome: 'cancelled',
    reason: 'changed my mind',
    summary: { cancelled: 2 },
  });
  await answer([]);
  assert.deepEqual(created(), []);

  await execute();
  await tree.clock.advance(5_000);
  await cancel();
  const lane = tree.store
    .edgeOf('task_sage', self, 'normal')
    .map((entry) => JSON.parse(messageText(entry)).action);
  assert.deepEqual(lane, ['sage.task.create', 'sage.task.cancel']);
  assert.equal(finished().length, 1);
  // The grand elder sends its cancel and asks for no answer to it.
  assert.deepEqual(tree.sentAs(self, 'grand_elder', 'reply.result'), []);
  assert.deepEqual(tree.rows(self, '@dead'), []);
});

test('a cancel of what is unknown or over changes nothing', async () => {
  await cancel();
  await execute();
  await answer([]);
  await finish();
  await cancel();
  assert.equal(finished().length, 1);
  assert.deepEqual(tree.sentAs(self, 'task_sage', 'sage.task.cancel'), []);
});

test('the end is summed up once, with the first failure as the reason and a lesson for the knowledge sage', async () => {
  await execute();
  await answer([]);
  await tree.send(tree.message('task_sage', self, 'report.to_elder.graph_started', { directiveId: 'd' }));
  const failures = [{ taskId: 'a', reason: 'exit code 7', exitCode: 7, tail: 'boom' }];
  await finish({ outcome: 'failed', summary: { failed: 1, succeeded: 1 }, failures });
  await finish();
  assert.deepEqual(
    tree.sentAs(self, 'grand_elder', 'report.directive.progress').map(({ payload }) => payload.state),
    ['planned', 'executing'],
  );
  assert.equal(finished().length, 1);
  assert.deepEqual(
    [finished()[0]?.payload.outcome, finished()[0]?.payload.reason],
    ['failed', 'a: exit code 7'],
  );
  const stored = tree.sentAs(self, 'knowledge_sage', 'sage.knowledge.store');
  assert.deepEqual(
    stored.map(({ payload }) => payload.title),
    ['Release check: failed'],
  );
});
