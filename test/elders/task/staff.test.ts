import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DemandRow, ServantRow } from '../../../src/elders/task/rows.ts';
import { task } from '../../support/directive.ts';
import { TaskBench } from './task-bench.ts';

const servants = ['servant_1', 'servant_2'];

function row<T>(bench: TaskBench, field: string): T | undefined {
  const text = bench.tree.store.snapshot('task_sage').fields.get(field);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

test('only the servants that the manager names are given tasks; one that goes finishes what it has', async () => {
  const bench = await new TaskBench().start();
  await bench.available(...servants);
  await bench.create(
    'd',
    ['a', 'b', 'c', 'd'].map((id) => task(id)),
  );
  await bench.name(['servant_1']);
  assert.equal(row<{ revision: number }>(bench, 'staff/now')?.revision, 1);
  assert.equal(bench.current('servant_2')?.task.id, 'b', 'what it has it keeps');
  await bench.finish('servant_2');
  assert.equal(row<ServantRow>(bench, 'servants/servant_2')?.lease, null);
  assert.deepEqual(bench.states('d'), { a: 'running', b: 'succeeded', c: 'ready', d: 'ready' });
  // A restart of the sage, or of the servant, does not change who is given tasks.
  bench.life?.kill();
  await bench.start();
  await bench.available('servant_2');
  assert.equal(bench.current('servant_2'), undefined);
  await bench.name(servants);
  assert.equal(bench.current('servant_2')?.task.id, 'c');
});

test('without a word of the manager all servants are given tasks', async () => {
  const bench = await new TaskBench().start();
  await bench.available(...servants);
  await bench.create('d', [task('a'), task('b')]);
  assert.deepEqual(bench.states('d'), { a: 'running', b: 'running' });
});

test('what waits is noted for each pool, and only where somebody looks', async () => {
  const bench = await new TaskBench({ scaling: { groups: { gpu: { max: 2 }, big: { max: 1 } } } }).start();
  const demand = () => row<DemandRow>(bench, 'demand/now')?.pools;
  await bench.name(['servant_1']);
  await bench.available('servant_1');
  await bench.create('d', [
    ...['a', 'b', 'c'].map((id) => task(id)),
    task('g', { labels: ['gpu'] }),
    task('nobody', { labels: ['elsewhere'] }),
  ]);
  assert.equal(demand(), undefined);
  const since = bench.tree.clock.now();
  await bench.name(['servant_1'], true);
  assert.deepEqual(demand(), { servant: { ready: 2, since }, gpu: { ready: 1, since } });
  await bench.available('servant_501');
  assert.equal(bench.current('servant_501'), undefined, 'it is not named');
  await bench.name(['servant_1', 'servant_501'], true);
  assert.equal(bench.current('servant_501')?.task.id, 'g');
  await bench.finish('servant_501');
  assert.equal(bench.current('servant_501'), undefined, 'what asks for nothing is left to the others');
  await bench.tree.clock.advance(1_000);
  await bench.finish('servant_1');
  await bench.tree.clock.advance(1_000);
  assert.deepEqual(demand()?.servant, { ready: 1, since });
  await bench.cancel('d');
  assert.deepEqual(demand(), {});
  await bench.name(['servant_1'], false);
  assert.equal(demand(), undefined);
});

test('tasks that cannot run however many servants there are do not count', async () => {
  const bench = await new TaskBench().start();
  await bench.name([], true);
  await bench.available('servant_1');
  await bench.create(
    'd',
    ['a', 'b', 'c'].map((id) => task(id, { locks: ['x'] })),
  );
  await bench.tree.clock.advance(1_000);
  assert.equal(row<DemandRow>(bench, 'demand/now')?.pools.servant?.ready, 1);
  await bench.control('d', { operation: 'pause' });
  await bench.tree.clock.advance(1_000);
  assert.deepEqual(row<DemandRow>(bench, 'demand/now')?.pools, {});
});

test('the control: with nobody to leave it out, a servant that is to go is given the next task', async () => {
  const bench = await new TaskBench().start();
  await bench.available(...servants);
  await bench.create(
    'd',
    ['a', 'b', 'c'].map((id) => task(id)),
  );
  await bench.finish('servant_2');
  assert.equal(bench.current('servant_2')?.task.id, 'c');
});
