import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Effect } from '../../../src/agents/core.ts';
import { type Assignment, type ServantEffect, servant } from '../../../src/elders/servant/servant.ts';
import { task } from '../../support/directive.ts';
import { type Life, MemoryTree } from '../../support/memory-tree.ts';

const self = 'servant_1';
const leaseMs = 10_000;
let tree: MemoryTree;
let life: Life;
let effects: ServantEffect[];

beforeEach(async () => {
  tree = new MemoryTree();
  effects = [];
  const perform = (effect: Effect) => void effects.push(effect as unknown as ServantEffect);
  life = await tree.start(self, servant(), { perform });
  await life.agent.input({ kind: 'reaped' });
});

function assignment(directiveId: string, lease: string): Assignment {
  const expiresAt = tree.clock.now() + leaseMs;
  return { directiveId, workspace: '/work', task: task(lease), attempt: 1, lease, leaseMs, expiresAt };
}
const assign = (directiveId: string, lease: string) =>
  tree.message('task_sage', self, 'sage.task.assign', assignment(directiveId, lease));
const order = (what: 'halt' | 'resume', directiveId: string | null) =>
  tree.message('grand_elder', self, `emergency.${what}`, { directiveId, reason: 'smoke' });
const reports = () =>
  tree
    .sentAs(self, 'task_sage', 'report.to_sage.attempt_finished')
    .map(({ payload }) => [payload.lease, payload.outcome, payload.reason]);
const cancels = () => effects.filter(({ kind }) => kind === 'cancel');

test('a halt ends the running command at once and drops what waits', async () => {
  await tree.send(assign('d', 'a'), assign('d', 'b'));
  await tree.send(order('halt', null));
  const reason = 'halted: smoke';
  assert.deepEqual(cancels(), [{ kind: 'cancel', lease: 'a', outcome: 'cancelled', reason }]);
  assert.deepEqual(reports(), [['b', 'cancelled', reason]]);
});

test('an assignment that the halt has overtaken on its way is not begun', async () => {
  // Both are there when it reads: the halt is handled first although it was sent last.
  await tree.send(assign('d', 'a'), order('halt', 'd'), assign('e', 'b'));
  assert.deepEqual(reports(), [['a', 'cancelled', 'halted: smoke']]);
  assert.deepEqual(
    effects.flatMap((effect) => (effect.kind === 'run' ? [effect.assignment.lease] : [])),
    ['b'],
  );
  await tree.send(order('resume', 'd'), assign('d', 'c'));
  await life.agent.input({ kind: 'finished', result: { ...resultOf('b'), directiveId: 'e' } });
  assert.equal(effects.at(-1)?.kind, 'run');
});

test('the command of another directive goes on', async () => {
  await tree.send(assign('d', 'a'));
  await tree.send(order('halt', 'e'));
  assert.deepEqual(cancels(), []);
});

function resultOf(lease: string) {
  const at = tree.clock.now();
  const rest = { exitCode: 0, signal: null, startedAt: at, finishedAt: at, reason: null, output: null };
  return { taskId: lease, lease, attempt: 1, outcome: 'succeeded', ...rest };
}
