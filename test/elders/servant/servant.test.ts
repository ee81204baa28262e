import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Effect } from '../../../src/agents/core.ts';
import {
  type Assignment,
  type ServantEffect,
  type ServantInput,
  servant,
} from '../../../src/elders/servant/servant.ts';
import type { AttemptResult } from '../../../src/protocol/actions.ts';
import { task } from '../../support/directive.ts';
import { type Life, MemoryTree } from '../../support/memory-tree.ts';

const self = 'servant_1';
const leaseMs = 10_000;

let tree: MemoryTree;
let life: Life;
let effects: ServantEffect[];

async function start(): Promise<void> {
  effects = [];
  const perform = (effect: Effect) => void effects.push(effect as unknown as ServantEffect);
  life = await tree.start(self, servant(), { perform });
}

async function tell(input: ServantInput): Promise<void> {
  await life.agent.input(input as unknown as Effect);
  await tree.clock.settle();
}

function assignment(lease: string, expiresInMs = leaseMs): Assignment {
  const expiresAt = tree.clock.now() + expiresInMs;
  return { directiveId: 'd', workspace: '/work', task: task(lease), attempt: 1, lease, leaseMs, expiresAt };
}

async function assign(lease: string, expiresInMs?: number): Promise<Assignment> {
  const given = assignment(lease, expiresInMs);
  await tree.send(tree.message('task_sage', self, 'sage.task.assign', given));
  return given;
}

async function revoke(lease: string): Promise<void> {
  const payload = { directiveId: 'd', taskId: lease, attempt: 1, lease, reason: 'changed my mind' };
  await tree.send(tree.message('task_sage', self, 'sage.task.revoke', payload));
}

async function recall(lease: string): Promise<void> {
  await tree.send(tree.message('task_sage', self, 'sage.task.recall', { lease }));
}

function resultOf({ directiveId, task: { id }, lease, attempt }: Assignment): AttemptResult {
  const at = tree.clock.now();
  const rest = { exitCode: 0, signal: null, startedAt: at, finishedAt: at, reason: null, output: null };
  return { directiveId, taskId: id, lease, attempt, outcome: 'succeeded', ...rest };
}

const reports = () =>
  tree
    .sentAs(self, 'task_sage', 'report.to_sage.attempt_finished')
    .map(({ payload }) => [payload.lease, payload.outcome]);
const returned = () =>
  tree.sentAs(self, 'task_sage', 'report.to_sage.attempt_returned').map(({ payload }) => payload.lease);
const runs = () => effects.flatMap((effect) => (effect.kind === 'run' ? [effect.assignment.lease] : []));
const kinds = () => effects.map(({ kind }) => kind);

beforeEach(async () => {
  tree = new MemoryTree();
  await start();
});

test('it says that it is there, and begins nothing before its predecessor’s command is certainly over', async () => {
  assert.equal(tree.sentAs(self, 'task_sage', 'report.to_sage.available').length, 1);
  await assign('a');
  assert.deepEqual(kinds(), ['reap']);
  await tell({ kind: 'reaped' });
  assert.deepEqual(kinds(), ['reap', 'run']);
});

test('it reports the start and the end of an attempt, then goes on with what waits', async () => {
  await tell({ kind: 'reaped' });
  const a = await assign('a');
  await assign('b');
  await tell({ kind: 'started', lease: 'a', startedAt: 5 });
  assert.equal(tree.sentAs(self, 'task_sage', 'report.to_sage.attempt_started')[0]?.payload.startedAt, 5);
  await tell({ kind: 'finished', result: resultOf(a) });
  assert.deepEqual(reports(), [['a', 'succeeded']]);
  assert.deepEqual(kinds(), ['reap', 'run', 'run']);
});

test('it renews its lease while the command runs, and extends it at its executor', async () => {
  await tell({ kind: 'reaped' });
  const a = await assign('a');
  await tree.clock.advance(leaseMs);
  assert.equal(tree.sentAs(self, 'task_sage', 'report.to_sage.lease_renewed').length, 4);
  const last = effects.at(-1);
  assert.equal(last?.kind === 'extend_lease' && last.expiresAt, tree.clock.now() + leaseMs);
  await tell({ kind: 'finished', result: resultOf(a) });
  await tree.clock.advance(leaseMs);
  assert.equal(tree.sentAs(self, 'task_sage', 'report.to_sage.lease_renewed').length, 4);
});

for (const jump of [86_400_000, -86_400_000]) {
  test(`it goes on renewing its lease when the clock jumps by ${jump} ms`, async () => {
    await tell({ kind: 'reaped' });
    await assign('a');
    await tree.clock.advance(1_000);
    tree.clock.jump(jump);
    const renewed = () => tree.sentAs(self, 'task_sage', 'report.to_sage.lease_renewed').length;
    await tree.clock.advance(leaseMs / 4);
    assert.ok(renewed() >= 1);
    const before = renewed();
    await tree.clock.advance(leaseMs);
    assert.equal(renewed() - before, 4);
    assert.deepEqual([kinds().filter((kind) => kind === 'run'), reports()], [['run'], []]);
  });
}

test('what its predecessor was running is reported as lost, once it is over', async () => {
  await tell({ kind: 'reaped' });
  await assign('a');
  life.kill();
  await start();
  assert.deepEqual(reports(), []);
  await tell({ kind: 'reaped' });
  assert.deepEqual(reports(), [['a', 'lost']]);
  assert.deepEqual(kinds(), ['reap']);
});

test('an assignment whose lease has ended meanwhile is not begun, but reported', async () => {
  await assign('a', 100);
  await tree.clock.advance(200);
  await tell({ kind: 'reaped' });
  assert.deepEqual(kinds(), ['reap']);
  assert.deepEqual(reports(), [['a', 'lost']]);
});

test('a revocation ends what runs, drops what waits, and answers for what is unknown', async () => {
  await tell({ kind: 'reaped' });
  const a = await assign('a');
  await assign('b');
  await revoke('b');
  await revoke('a');
  await revoke('unknown');
  assert.deepEqual(reports(), [
    ['b', 'cancelled'],
    ['unknown', 'lost'],
  ]);
  const cancel = effects.at(-1);
  assert.deepEqual(cancel?.kind === 'cancel' && [cancel.lease, cancel.outcome], ['a', 'cancelled']);
  await tell({ kind: 'finished', result: { ...resultOf(a), outcome: 'cancelled', exitCode: null } });
  assert.deepEqual(reports().at(-1), ['a', 'cancelled']);
});

test('a result under another lease than the one it holds is dropped', async () => {
  await tell({ kind: 'reaped' });
  await assign('b');
  await tell({ kind: 'finished', result: resultOf(assignment('a')) });
  await tell({ kind: 'started', lease: 'a', startedAt: 1 });
  assert.deepEqual(reports(), []);
});

test('while it drains it finishes what it has and begins nothing', async () => {
  await tell({ kind: 'reaped' });
  const a = await assign('a');
  await assign('b');
  const drained = life.agent.drain(5_000);
  await tree.clock.advance(3_000);
  assert.equal(
    effects.some((effect) => effect.kind === 'cancel' && effect.outcome === 'lost'),
    true,
  );
  await tell({ kind: 'finished', result: resultOf(a) });
  await drained;
  await assign('c');
  assert.equal(effects.filter(({ kind }) => kind === 'run').length, 1);
  assert.equal(tree.sentAs(self, 'task_sage', 'report.to_sage.draining').length, 1);
  assert.deepEqual(returned(), ['b', 'c'], 'others may have what it does not begin');
});

test('what waits behind a command that lasts is given back, and so is what is asked back in time', async () => {
  await tell({ kind: 'reaped' });
  const a = await assign('a');
  await assign('b');
  await tree.clock.advance(1_000);
  assert.deepEqual(returned(), ['b']);
  const c = await assign('c');
  await tell({ kind: 'finished', result: resultOf(a) });
  await recall('c');
  assert.deepEqual(runs(), ['a', 'c'], 'c began first');
  await assign('d');
  await recall('d');
  await tell({ kind: 'finished', result: resultOf(c) });
  assert.deepEqual(returned(), ['b', 'd']);
  assert.deepEqual(runs(), ['a', 'c']);
});

test('a clock that is set back keeps nothing waiting', async () => {
  await tell({ kind: 'reaped' });
  await assign('a');
  await assign('b');
  tree.clock.jump(-3_600_000);
  await tell({ kind: 'progress', lease: 'none', progress: { done: null, total: null, text: '', at: 0 } });
  assert.deepEqual(returned(), ['b']);
});

test('the successor of a servant that was killed begins what waited', async () => {
  await tell({ kind: 'reaped' });
  await assign('a');
  await assign('b');
  await life.kill();
  await start();
  await tell({ kind: 'reaped' });
  assert.deepEqual(reports(), [['a', 'lost']]);
  assert.deepEqual(runs(), ['b']);
});
