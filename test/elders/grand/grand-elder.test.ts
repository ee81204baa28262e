import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { grandElder } from '../../../src/elders/grand/grand-elder.ts';
import { messageText } from '../../../src/messaging/codec.ts';
import type { Action, PayloadInput } from '../../../src/protocol/actions.ts';
import { configSchema } from '../../../src/protocol/config.ts';
import type { DirectiveRecord, DirectiveSpec } from '../../../src/protocol/directive.ts';
import { directive, task } from '../../support/directive.ts';
import { MemoryTree } from '../../support/memory-tree.ts';

const self = 'grand_elder';
const spec = directive([task('a'), task('b', { needs: ['a'] })]);
const config = configSchema.parse({ strategy: { maxTasks: 3, maxActiveDirectives: 2 } });

let tree: MemoryTree;
beforeEach(async () => {
  tree = new MemoryTree();
  await tree.start(self, grandElder(config));
});

/** Asks as the gateway does; gives the result or the code of the error. */
async function ask<A extends Action>(action: A, payload: PayloadInput<A>): Promise<unknown> {
  await tree.send(tree.message('gateway', self, action, payload));
  const { result, code } = tree.sent(self, 'gateway').at(-1)?.payload ?? {};
  return code ?? result;
}

async function submit(directiveId: string, content: DirectiveSpec = spec): Promise<DirectiveRecord> {
  return (await ask('development.directive.submit', { directiveId, directive: content })) as DirectiveRecord;
}

async function report(state: 'planned' | 'executing', lessons: string[] = []): Promise<void> {
  const payload = { directiveId: 'd', state, lessons };
  await tree.send(tree.message('claude_elder', self, 'report.directive.progress', payload));
}

async function finish(
  outcome: 'completed' | 'failed' | 'cancelled',
  reason: string | null = null,
): Promise<void> {
  const payload = { directiveId: 'd', outcome, reason, summary: { succeeded: 2 } };
  await tree.send(tree.message('claude_elder', self, 'report.directive.finished', payload));
}

const record = () => ask('development.directive.show', { directiveId: 'd' }) as Promise<DirectiveRecord>;
const executions = () => tree.sentAs(self, 'claude_elder', 'development.directive.execute');

test('a directive that fits the strategy is accepted and handed on, in its story', async () => {
  const { state, taskCount, reason } = await submit('d');
  assert.deepEqual([state, taskCount, reason], ['accepted', 2, null]);
  assert.deepEqual(
    executions().map(({ correlation_id, payload }) => [correlation_id, payload.directive]),
    [['d', spec]],
  );
});

test('the same submission again is the same directive, whatever has become of it', async () => {
  await submit('d');
  assert.equal((await submit('d')).state, 'accepted');
  await finish('completed');
  assert.equal((await submit('d')).state, 'completed');
  assert.equal(executions().length, 1);
});

test('another content under the same id is a conflict', async () => {
  await submit('d');
  assert.equal(await submit('d', directive([task('other')])), 'conflict');
  assert.equal((await record()).taskCount, 2);
});

test('what does not fit the strategy is rejected with the reason and stays so', async () => {
  const cases: [string, DirectiveSpec, RegExp][] = [
    ['many', directive(['a', 'b', 'c', 'd'].map((id) => task(id))), /4 tasks; strategy.maxTasks is 3/],
    ['root', { ...spec, workspace: '/' }, /workspace/],
    ['relative', { ...spec, workspace: 'work' }, /workspace/],
    ['cycle', directive([task('a', { needs: ['b'] }), task('b', { needs: ['a'] })]), /a/],
    ['unknown', directive([task('a', { needs: ['z'] })]), /z/],
    ['twice', directive([task('a'), task('a')]), /a/],
  ];
  for (const [id, content, reason] of cases) {
    const rejected = await submit(id, content);
    assert.equal(rejected.state, 'rejected', id);
    assert.match(rejected.reason ?? '', reason);
    assert.equal((await submit(id, content)).finishedAt, rejected.finishedAt);
  }
  assert.deepEqual(executions(), []);
});

test('only so many directives are under way at a time; one that has ended makes room', async () => {
  await submit('d');
  await submit('e');
  assert.match((await submit('f')).reason ?? '', /maxActiveDirectives/);
  await finish('completed');
  assert.equal((await submit('g')).state, 'accepted');
});

test('its record follows the reports and does not change after the end', async () => {
  await submit('d');
  await report('planned', ['a lesson']);
  await report('executing');
  assert.deepEqual([(await record()).state, (await record()).lessons], ['executing', ['a lesson']]);
  await tree.clock.advance(1_000);
  await finish('failed', 'a: exit code 1');
  const { state, reason, summary, finishedAt } = await record();
  assert.deepEqual([state, reason, summary], ['failed', 'a: exit code 1', { succeeded: 2 }]);
  await report('executing');
  await finish('completed');
  assert.deepEqual([(await record()).state, (await record()).finishedAt], ['failed', finishedAt]);
});

test('a cancel is passed on once, behind what it cancels, and ends with the report', async () => {
  await submit('d');
  await ask('development.directive.cancel', { directiveId: 'd', reason: 'changed my mind' });
  await ask('development.directive.cancel', { directiveId: 'd', reason: 'again' });
  const lane = tree.store
    .edgeOf('claude_elder', self, 'normal')
    .map((entry) => JSON.parse(messageText(entry)).action);
  assert.deepEqual(lane, ['development.directive.execute', 'development.directive.cancel']);
  assert.equal((await record()).state, 'accepted');
  await finish('cancelled');
  assert.deepEqual([(await record()).state, (await record()).reason], ['cancelled', 'changed my mind']);
  assert.equal(await ask('development.directive.cancel', { directiveId: 'd', reason: 'late' }), 'conflict');
});

test('what is unknown is not found', async () => {
  assert.equal(await record(), 'not_found');
  assert.equal(await ask('development.directive.cancel', { directiveId: 'd', reason: '' }), 'not_found');
});

test('the newest come first in a list, without what is kept for itself', async () => {
  for (const id of ['a', 'b']) {
    await submit(id);
    await tree.clock.advance(10);
  }
  const { directives } = (await ask('development.directive.list', { limit: 5 })) as {
    directives: DirectiveRecord[];
  };
  assert.deepEqual(
    directives.map(({ id }) => id),
    ['b', 'a'],
  );
  assert.equal('fingerprint' in directives[0]!, false);
});
