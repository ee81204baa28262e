import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { task } from '../../support/directive.ts';
import { TaskBench } from './task-bench.ts';

let bench: TaskBench;
beforeEach(async () => {
  bench = await new TaskBench().start();
  await bench.available('servant_1');
});

async function order(what: 'halt' | 'resume', directiveId: string | null): Promise<void> {
  const payload = { directiveId, reason: 'smoke' };
  await bench.tree.send(bench.tree.message('grand_elder', 'task_sage', `emergency.${what}`, payload));
}
const cancelled = { outcome: 'cancelled', reason: 'halted: smoke' } as const;

test('while all is halted nothing is handed out, and nothing wakes the sage in vain', async () => {
  await order('halt', null);
  await bench.create('d', [task('a')]);
  const { commitNumber } = bench.tree.store.snapshot('task_sage');
  await bench.tree.clock.advance(60_000);
  assert.equal(bench.tree.store.snapshot('task_sage').commitNumber, commitNumber);
  assert.equal(bench.task('d/a').state, 'ready');
  await order('resume', null);
  assert.equal(bench.current('servant_1')?.task.id, 'a');
});

test('an attempt that the halt ended costs no retry and no loss, and starts again after it', async () => {
  await bench.create('d', [task('a')]);
  for (let round = 1; round <= 5; round += 1) {
    assert.equal(bench.current('servant_1')?.attempt, round);
    await order('halt', 'd');
    // Even when the halt is over before the servant could report.
    if (round % 2 === 0) await order('resume', 'd');
    await bench.finish('servant_1', cancelled);
    if (round % 2 === 1) {
      assert.equal(bench.task('d/a').state, 'ready');
      await order('resume', 'd');
    }
  }
  await bench.finish('servant_1');
  const { state, lost, failures } = bench.task('d/a');
  assert.deepEqual([state, lost, failures], ['succeeded', 0, 0]);
  assert.deepEqual(bench.incidents(), []);
  assert.equal(bench.finished()[0]?.outcome, 'completed');
});

test('only the directive that is meant is halted', async () => {
  await bench.create('d', [task('a')]);
  await order('halt', 'd');
  await bench.finish('servant_1', cancelled);
  await bench.create('e', [task('b')]);
  assert.equal(bench.current('servant_1')?.task.id, 'b');
  // The halt of one is not lifted with the halt of all.
  await order('halt', null);
  await order('resume', null);
  await bench.finish('servant_1');
  assert.deepEqual([bench.states('d'), bench.states('e')], [{ a: 'ready' }, { b: 'succeeded' }]);
});

test('a halted directive can be cancelled, and a successor of the sage keeps the halt', async () => {
  await order('halt', 'd');
  await bench.create('d', [task('a')]);
  bench.life?.kill();
  await bench.start();
  assert.equal(bench.task('d/a').state, 'ready');
  await bench.cancel('d');
  assert.equal(bench.finished()[0]?.outcome, 'cancelled');
});
