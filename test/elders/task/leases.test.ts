import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { task } from '../../support/directive.ts';
import { leaseMs, TaskBench } from './task-bench.ts';

let bench: TaskBench;
beforeEach(async () => {
  bench = await new TaskBench().start();
  await bench.available('servant_1');
  await bench.create('d', [task('a', { retries: 1 })]);
});

test('a lease that is renewed does not end', async () => {
  for (let round = 0; round < 20; round += 1) {
    await bench.tree.clock.advance(leaseMs / 2);
    await bench.renew('servant_1');
  }
  assert.deepEqual([bench.revoked('servant_1'), bench.task('d/a').state], [[], 'running']);
});

test('one that ran out is revoked, and given up only when the servant stays silent for as long again', async () => {
  await bench.available('servant_2');
  await bench.tree.clock.advance(leaseMs - 1);
  assert.equal(bench.revoked('servant_1').length, 0);
  await bench.tree.clock.advance(1);
  assert.equal(bench.revoked('servant_1')[0]?.reason, 'the lease ran out');
  assert.equal(bench.incidents()[0]?.fingerprint, 'silent/servant_1');
  await bench.tree.clock.advance(leaseMs - 1);
  assert.equal(bench.current('servant_2'), undefined);
  await bench.tree.clock.advance(1);
  assert.deepEqual([bench.current('servant_2')?.task.id, bench.current('servant_2')?.attempt], ['a', 2]);
  assert.deepEqual(
    bench.task('d/a').history.map(({ outcome, servant }) => [outcome, servant]),
    [['lost', 'servant_1']],
  );
});

test('a late result under a lease that is over changes nothing, but frees its servant', async () => {
  await bench.available('servant_2');
  const [old] = bench.assigned('servant_1');
  await bench.tree.clock.advance(2 * leaseMs);
  await bench.create('e', [task('b')]);
  // It may still be busy with what was given up, so it gets nothing.
  assert.equal(bench.task('e/b').state, 'ready');
  await bench.finish('servant_1', {}, old);
  assert.equal(bench.task('d/a').state, 'running');
  assert.equal(bench.current('servant_1')?.task.id, 'b');
  await bench.finish('servant_2');
  assert.deepEqual([bench.task('d/a').state, bench.task('d/a').attempts], ['succeeded', 2]);
});

test('a second report of the same attempt changes nothing', async () => {
  const [held] = bench.assigned('servant_1');
  await bench.finish('servant_1', { outcome: 'failed' });
  await bench.finish('servant_1', {}, held);
  assert.deepEqual([bench.task('d/a').state, bench.task('d/a').failures], ['ready', 1]);
});

test('a report under a lease of another servant, or with another number, is not believed', async () => {
  const [held] = bench.assigned('servant_1');
  await bench.finish('servant_2', {}, held);
  assert.equal(bench.task('d/a').state, 'running');
  await bench.finish('servant_1', { attempt: 99, directiveId: 'other' });
  assert.equal(bench.task('d/a').history[0]?.attempt, 1);
});

test('an attempt that was ended because its lease ran out is lost, not cancelled', async () => {
  await bench.tree.clock.advance(leaseMs);
  await bench.finish('servant_1', { outcome: 'cancelled' });
  const { state, history, lost } = bench.task('d/a');
  assert.deepEqual([state, history[0]?.outcome, lost], ['running', 'lost', 1]);
});

test('a servant that starts anew keeps its lease until it has reported what became of it', async () => {
  await bench.create('e', [task('b')]);
  await bench.available('servant_1');
  assert.equal(bench.current('servant_1')?.task.id, 'a');
  await bench.finish('servant_1', { outcome: 'lost' });
  assert.deepEqual([bench.task('e/b').state, bench.task('d/a').state], ['running', 'ready']);
});

test('a sage that was away gives every lease its full time again', async () => {
  bench.life?.kill();
  await bench.tree.clock.advance(10 * leaseMs);
  await bench.start();
  await bench.tree.clock.advance(leaseMs - 1);
  assert.deepEqual([bench.revoked('servant_1'), bench.task('d/a').state], [[], 'running']);
  await bench.finish('servant_1');
  assert.equal(bench.finished()[0]?.outcome, 'completed');
});

test('a cancelled task whose servant is gone for good ends too', async () => {
  await bench.cancel('d');
  await bench.tree.clock.advance(2 * leaseMs);
  assert.equal(bench.finished()[0]?.outcome, 'cancelled');
});
