import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import type { Core } from '../../../src/agents/core.ts';
import { tables } from '../../../src/elders/task/rows.ts';
import { taskOf } from '../../../src/elders/task/tasks.ts';
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

const day = 86_400_000;

/** Goes on for some time in which a servant renews its lease as it should. */
async function runOn(leases: number): Promise<void> {
  for (let round = 0; round < 4 * leases; round += 1) {
    await bench.tree.clock.advance(leaseMs / 4);
    await bench.renew('servant_1');
  }
}

for (const jump of [day, -day, leaseMs / 2, -leaseMs / 2]) {
  test(`a clock that jumps by ${jump / 1_000} s ends no lease and starts nothing twice`, async () => {
    await bench.available('servant_2');
    await runOn(1);
    bench.tree.clock.jump(jump);
    await runOn(3);
    assert.deepEqual([bench.revoked('servant_1'), bench.assigned('servant_2')], [[], []]);
    // Who falls silent after it is noticed all the same.
    await bench.tree.clock.advance(3 * leaseMs);
    assert.equal(bench.current('servant_2')?.attempt, 2);
  });
}

test('a retry waits no longer than it should because the clock went back', async () => {
  await bench.finish('servant_1', { outcome: 'failed' });
  assert.equal(bench.task('d/a').state, 'ready');
  bench.tree.clock.jump(-day);
  await bench.tree.clock.advance(2_000);
  assert.equal(bench.current('servant_1')?.attempt, 2);
});

suite('what comes after the lease is over', () => {
  /** What is wrong, where servant_2 runs the task or has reported its end. */
  function contradictions(runs: boolean): string[] {
    const { state, history } = bench.task('d/a');
    const done = history.filter(({ outcome }) => outcome !== 'lost');
    return [
      ...(runs && state !== 'running' ? ['what still runs is done'] : []),
      ...(runs && done.length > 0 ? ['it has an outcome that nobody reported under its lease'] : []),
      ...(done.length > 1 ? ['it has two outcomes'] : []),
    ];
  }

  test('of a servant that was stopped is fenced', async () => {
    await bench.available('servant_2');
    const [old] = bench.assigned('servant_1');
    await bench.tree.clock.advance(2 * leaseMs);
    assert.equal(bench.current('servant_2')?.attempt, 2);
    await bench.finish('servant_1', {}, old);
    assert.deepEqual(contradictions(true), []);
    await bench.finish('servant_2');
    assert.deepEqual([contradictions(false), bench.task('d/a').state], [[], 'succeeded']);
  });

  test('is believed where the fence is off, and that is seen', async () => {
    bench.life?.kill();
    bench = await new TaskBench().start(believing);
    await bench.available('servant_1');
    await bench.create('d', [task('a', { retries: 1 })]);
    await bench.available('servant_2');
    const [old] = bench.assigned('servant_1');
    await bench.tree.clock.advance(2 * leaseMs);
    await bench.finish('servant_1', {}, old);
    assert.notDeepEqual(contradictions(true), []);
  });
});

/** A task sage that takes a report about a task for one of the attempt under way, whoever sends it. */
function believing(core: Core): Core {
  const finished = core.handlers['report.to_sage.attempt_finished'];
  return {
    ...core,
    handlers: {
      ...core.handlers,
      'report.to_sage.attempt_finished': (ctx, received) => {
        const { lease } = taskOf(ctx, received.payload.directiveId, received.payload.taskId) ?? {};
        const holder = lease ? tables(ctx).leases.get(lease) : undefined;
        if (!lease || !holder) return;
        finished?.(ctx, { ...received, source: holder.servant, payload: { ...received.payload, lease } });
      },
    },
  };
}
