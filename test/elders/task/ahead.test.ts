import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Assignment } from '../../../src/elders/servant/servant.ts';
import { task } from '../../support/directive.ts';
import { leaseMs, TaskBench } from './task-bench.ts';

const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
let bench: TaskBench;

/** Has one servant that has just ended a short command and was handed the third task ahead. */
async function handedAhead(): Promise<Assignment> {
  await bench.name(['servant_1']);
  await bench.available('servant_1', 'servant_2');
  await bench.create(
    'd',
    many.map((id) => task(id)),
  );
  assert.equal(bench.ahead('servant_1'), undefined, 'nothing is known of its commands yet');
  await bench.finish('servant_1');
  assert.equal(bench.current('servant_1')?.task.id, 'b');
  const ahead = bench.ahead('servant_1');
  assert.equal(ahead?.task.id, 'c');
  return ahead as Assignment;
}

beforeEach(async () => {
  bench = await new TaskBench().start();
});

test('a servant of short commands has one more at hand, as long as there are plenty', async () => {
  await handedAhead();
  await bench.finish('servant_1');
  assert.equal(bench.current('servant_1')?.task.id, 'c');
  assert.equal(bench.ahead('servant_1')?.task.id, 'd');
  for (const _ of ['c', 'd', 'e']) await bench.finish('servant_1');
  assert.equal(bench.current('servant_1')?.task.id, 'f');
  assert.equal(bench.ahead('servant_1'), undefined, 'the last are for who is idle first');
  for (const _ of ['f', 'g', 'h']) await bench.finish('servant_1');
  assert.deepEqual(bench.graph('d')?.counts, { waiting: 0, ready: 0, running: 0, succeeded: 8 });
});

test('a long command, and a task that holds a lock, are not worth it', async () => {
  await bench.name(['servant_1']);
  await bench.available('servant_1');
  await bench.create(
    'd',
    many.map((id) => task(id, { locks: ['db'] })),
  );
  await bench.finish('servant_1');
  assert.equal(bench.ahead('servant_1'), undefined);
  await bench.create(
    'e',
    many.map((id) => task(id)),
  );
  await bench.finish('servant_1', { startedAt: bench.tree.clock.now() - 1_000 });
  assert.equal(bench.ahead('servant_1'), undefined);
});

test('what is given back is as if it had never been given away, and goes first again', async () => {
  const c = await handedAhead();
  await bench.giveBack('servant_1', c);
  assert.equal(bench.ahead('servant_1'), undefined, 'what it runs lasts');
  assert.equal(bench.task('d/c').attempts, 0);
  await bench.giveBack('servant_1', c);
  await bench.finish('servant_1', {}, c);
  assert.equal(bench.task('d/c').state, 'ready', 'a report under a lease that is over says nothing');
  await bench.name(['servant_1', 'servant_2']);
  assert.equal(bench.current('servant_2')?.task.id, 'c');
  assert.equal(bench.current('servant_2')?.attempt, 1);
});

test('what is more urgent does not wait behind it, and neither does another directive', async () => {
  const c = await handedAhead();
  await bench.add('d', [task('urgent', { priority: 9 })]);
  assert.deepEqual(bench.recalled('servant_1'), [c.lease]);
  await bench.add('d', [task('as-urgent', { priority: 9 })]);
  assert.deepEqual(bench.recalled('servant_1'), [c.lease], 'once is enough');
  assert.equal(
    bench.task('d/c').state,
    'running',
    'it may have begun: nobody else gets it before it is back',
  );
  await bench.giveBack('servant_1', c);
  const urgent = bench.ahead('servant_1') as Assignment;
  assert.equal(urgent.task.id, 'urgent');
  await bench.finish('servant_1');
  assert.deepEqual(
    [bench.current('servant_1'), bench.ahead('servant_1')].map((each) => each?.task.id),
    ['urgent', 'as-urgent'],
  );
  await bench.create('other', [task('x', { priority: 9 })]);
  assert.equal(bench.recalled('servant_1').length, 2);
});

test('it is paused, cancelled and lost like what waits, and as what runs', async () => {
  const c = await handedAhead();
  await bench.control('d', { operation: 'pause', taskId: 'c' });
  assert.deepEqual(bench.recalled('servant_1'), [c.lease]);
  await bench.giveBack('servant_1', c);
  assert.equal(bench.task('d/c').paused, true);
  const d = bench.ahead('servant_1') as Assignment;
  assert.equal(d.task.id, 'd');
  await bench.control('d', { operation: 'pause' });
  assert.deepEqual(bench.recalled('servant_1'), [c.lease, d.lease]);
  await bench.control('d', { operation: 'cancel', taskId: 'd' });
  await bench.giveBack('servant_1', d);
  assert.equal(bench.task('d/d').state, 'cancelled');
  assert.equal(bench.ahead('servant_1'), undefined, 'its directive is paused');
  await bench.control('d', { operation: 'resume' });
  const e = bench.ahead('servant_1') as Assignment;
  await bench.tree.clock.advance(leaseMs * 3);
  assert.equal(bench.task(`d/${e.task.id}`).lost, 1);
  await bench.giveBack('servant_1', e);
  await bench.finish('servant_1', { outcome: 'lost' });
  assert.notEqual(bench.current('servant_1'), undefined);
});
