import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import { messageText } from '../../../src/messaging/codec.ts';
import type { Action } from '../../../src/protocol/actions.ts';
import { task } from '../../support/directive.ts';
import { TaskBench } from './task-bench.ts';

let bench: TaskBench;
beforeEach(async () => {
  bench = await new TaskBench().start();
});

suite('dispatch', () => {
  test('independent tasks go to different servants at once, dependants after what they need', async () => {
    await bench.available('servant_1', 'servant_2');
    await bench.create('d', [task('a'), task('b'), task('c', { needs: ['a', 'b'] })]);
    assert.deepEqual(bench.states('d'), { a: 'running', b: 'running', c: 'waiting' });
    assert.equal(bench.current('servant_1')?.task.id, 'a');
    assert.equal(bench.current('servant_2')?.task.id, 'b');
    await bench.finish('servant_1');
    assert.equal(bench.task('d/c').state, 'waiting');
    await bench.finish('servant_2');
    assert.equal(bench.task('d/c').state, 'running');
    await bench.finish('servant_1');
    assert.deepEqual(bench.finished()[0]?.summary, { succeeded: 3 });
  });

  test('what is created before there is a servant waits for one', async () => {
    await bench.create('d', [task('a')]);
    assert.equal(bench.task('d/a').state, 'ready');
    await bench.available('servant_2');
    assert.equal(bench.current('servant_2')?.task.id, 'a');
  });

  test('the highest priority goes first, then who has waited longest, across directives', async () => {
    await bench.create('d', [task('a'), task('b', { priority: 9 }), task('c')]);
    await bench.create('e', [task('a', { priority: 9 }), task('b', { priority: 1 })]);
    await bench.available('servant_1');
    const order: string[] = [];
    for (let held = bench.current('servant_1'); held; held = bench.current('servant_1')) {
      order.push(`${held.directiveId}/${held.task.id}`);
      await bench.finish('servant_1');
    }
    assert.deepEqual(order, ['d/b', 'e/a', 'd/a', 'd/c', 'e/b']);
  });

  test('a servant has one task at a time, and none while it drains', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a'), task('b')]);
    assert.equal(bench.assigned('servant_1').length, 1);
    const draining = { incarnation: 1 };
    await bench.tree.send(bench.tree.message('servant_1', 'task_sage', 'report.to_sage.draining', draining));
    await bench.finish('servant_1');
    assert.equal(bench.current('servant_1'), undefined);
    await bench.available('servant_1');
    assert.equal(bench.current('servant_1')?.task.id, 'b');
  });

  test('what a gone process of a servant said, replayed, changes nothing', async () => {
    const say = (action: Action, incarnation: number) =>
      bench.tree.send(bench.tree.message('servant_1', 'task_sage', action, { incarnation }));
    await say('report.to_sage.available', 2);
    await say('report.to_sage.draining', 1);
    await bench.create('d', [task('a'), task('b')]);
    assert.equal(bench.current('servant_1')?.task.id, 'a');
    await say('report.to_sage.draining', 2);
    await say('report.to_sage.available', 1);
    await bench.finish('servant_1');
    assert.equal(bench.current('servant_1'), undefined);
  });

  test('the first start of a directive is told once', async () => {
    await bench.available('servant_1', 'servant_2');
    await bench.create('d', [task('a'), task('b')]);
    await bench.begin('servant_1');
    await bench.begin('servant_2');
    const told = bench.tree.sentAs('task_sage', 'claude_elder', 'report.to_elder.graph_started');
    assert.equal(told.length, 1);
    assert.equal(bench.task('d/b').startedAt, bench.tree.clock.now());
  });

  test('the same directive a second time changes nothing', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a')]);
    await bench.create('d', [task('other')]);
    assert.deepEqual(bench.states('d'), { a: 'running' });
  });
});

suite('failure', () => {
  test('a task is tried again as told, ever later, and then succeeds', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a', { retries: 2 })]);
    await bench.finish('servant_1', { outcome: 'failed' });
    assert.equal(bench.current('servant_1'), undefined);
    await bench.tree.clock.advance(999);
    assert.equal(bench.current('servant_1'), undefined);
    await bench.tree.clock.advance(1);
    assert.equal(bench.current('servant_1')?.attempt, 2);
    await bench.finish('servant_1', { outcome: 'timed_out' });
    await bench.tree.clock.advance(1_999);
    assert.equal(bench.current('servant_1'), undefined);
    await bench.tree.clock.advance(1);
    await bench.finish('servant_1');
    const { state, attempts, history } = bench.task('d/a');
    assert.deepEqual([state, attempts], ['succeeded', 3]);
    assert.deepEqual(
      history.map(({ outcome }) => outcome),
      ['failed', 'timed_out', 'succeeded'],
    );
    const [report] = bench.finished();
    assert.deepEqual([report?.outcome, report?.retried[0]?.attempts.length], ['completed', 3]);
    assert.deepEqual(bench.incidents(), []);
  });

  test('when its retries are spent it fails, and all that needs it is skipped, directly or not', async () => {
    await bench.available('servant_1', 'servant_2');
    const rest = [task('b', { needs: ['a'] }), task('c', { needs: ['b', 'x'] }), task('x')];
    await bench.create('d', [task('a', { retries: 1 }), ...rest]);
    await bench.finish('servant_1', { outcome: 'failed' });
    await bench.tree.clock.advance(1_000);
    const output = { path: '/o', bytes: 4, sha256: '', tail: 'boom' };
    await bench.finish('servant_1', { outcome: 'failed', exitCode: 7, output });
    assert.deepEqual(bench.states('d'), { a: 'failed', b: 'skipped', c: 'skipped', x: 'running' });
    assert.equal(bench.task('d/b').reason, 'a did not succeed');
    assert.deepEqual(bench.finished(), []);
    await bench.finish('servant_2');
    const [report] = bench.finished();
    assert.deepEqual([report?.outcome, report?.summary], ['failed', { failed: 1, skipped: 2, succeeded: 1 }]);
    assert.deepEqual(report?.failures, [
      { taskId: 'a', reason: 'failed with exit code 7', exitCode: 7, tail: 'boom' },
    ]);
    const [incident] = bench.incidents();
    assert.deepEqual([incident?.fingerprint, incident?.severity], ['d/a/failed', 'medium']);
  });

  test('what the sandbox refuses is not tried again', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a', { retries: 5 })]);
    await bench.finish('servant_1', { outcome: 'refused', reason: 'no bubblewrap' });
    assert.deepEqual([bench.task('d/a').state, bench.task('d/a').reason], ['failed', 'no bubblewrap']);
  });

  test('an attempt that lost its servant is not paid for by retries, but not repeated for ever', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a')]);
    for (let loss = 1; loss <= 2; loss += 1) await bench.finish('servant_1', { outcome: 'lost' });
    assert.deepEqual([bench.task('d/a').state, bench.current('servant_1')?.attempt], ['running', 3]);
    await bench.finish('servant_1', { outcome: 'lost' });
    assert.equal(bench.task('d/a').reason, 'its servant was lost 3 times');
    assert.deepEqual(
      bench.incidents().map(({ fingerprint, severity }) => [fingerprint, severity]),
      [
        ['d/a/lost', 'low'],
        ['d/a/lost', 'low'],
        ['d/a/lost', 'low'],
        ['d/a/failed', 'high'],
      ],
    );
  });
});

suite('cancel', () => {
  test('before anything runs, all of it is cancelled at once', async () => {
    await bench.create('d', [task('a'), task('b', { needs: ['a'] })]);
    await bench.cancel('d');
    assert.deepEqual(bench.states('d'), { a: 'cancelled', b: 'cancelled' });
    assert.equal(bench.finished()[0]?.outcome, 'cancelled');
    await bench.available('servant_1');
    assert.equal(bench.current('servant_1'), undefined);
  });

  test('what runs is revoked and ends when its servant says so, however', async () => {
    await bench.available('servant_1', 'servant_2');
    await bench.create('d', [task('a'), task('b'), task('c', { needs: ['a'] })]);
    await bench.cancel('d');
    assert.deepEqual(bench.states('d'), { a: 'running', b: 'running', c: 'cancelled' });
    assert.deepEqual([bench.revoked('servant_1').length, bench.revoked('servant_2').length], [1, 1]);
    await bench.finish('servant_1', { outcome: 'cancelled' });
    assert.deepEqual(bench.finished(), []);
    // It had succeeded before it could be stopped.
    await bench.finish('servant_2');
    assert.deepEqual(bench.states('d'), { a: 'cancelled', b: 'succeeded', c: 'cancelled' });
    assert.equal(bench.finished()[0]?.outcome, 'cancelled');
    assert.equal(bench.task('d/a').reason, 'changed my mind');
  });

  test('a task that waits for its retry is cancelled, and a failing one is not tried again', async () => {
    await bench.available('servant_1', 'servant_2');
    await bench.create('d', [task('a', { retries: 3 }), task('b', { retries: 3 })]);
    await bench.finish('servant_1', { outcome: 'failed' });
    await bench.cancel('d');
    await bench.finish('servant_2', { outcome: 'failed' });
    assert.deepEqual(bench.states('d'), { a: 'cancelled', b: 'cancelled' });
    await bench.tree.clock.advance(60_000);
    assert.equal(bench.assigned('servant_1').length, 1);
  });

  test('after the end, and of something unknown, it changes nothing', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a')]);
    await bench.finish('servant_1');
    await bench.cancel('d');
    await bench.cancel('unknown');
    assert.deepEqual([bench.finished().length, bench.states('d')], [1, { a: 'succeeded' }]);
  });

  test('the revocation travels behind its assignment, in its lane', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a', { priority: 2 })]);
    await bench.cancel('d');
    const edge = bench.tree.store.edgeOf('servant_1', 'task_sage', 'low');
    assert.deepEqual(
      edge.map((entry) => JSON.parse(messageText(entry)).action),
      ['sage.task.assign', 'sage.task.revoke'],
    );
  });
});

suite('asking for the graph', () => {
  async function ask(payload: { directiveId: string; since?: number; limit?: number }) {
    await bench.tree.send(bench.tree.message('gateway', 'task_sage', 'sage.task.graph', payload));
    return bench.tree.sent('task_sage', 'gateway').at(-1)?.payload as {
      code?: string;
      result: { revision: number; more: boolean; summary: object; tasks: { id: string; state: string }[] };
    };
  }

  test('it comes in pages, and then only what has changed', async () => {
    await bench.create('d', [task('a'), task('b'), task('c', { needs: ['b'] })]);
    const first = (await ask({ directiveId: 'd', limit: 2 })).result;
    const second = (await ask({ directiveId: 'd', limit: 2, since: first.revision })).result;
    assert.deepEqual([first.more, second.more], [true, false]);
    const ids = [...first.tasks, ...second.tasks].map(({ id }) => id);
    assert.deepEqual([...new Set(ids)].sort(), ['a', 'b', 'c']);
    assert.deepEqual((await ask({ directiveId: 'd', since: second.revision })).result.tasks, []);
    await bench.available('servant_1');
    const third = (await ask({ directiveId: 'd', since: second.revision })).result;
    assert.deepEqual(
      third.tasks.map(({ id, state }) => [id, state]),
      [['a', 'running']],
    );
    assert.deepEqual(third.summary, { ready: 1, running: 1, waiting: 1 });
  });

  test('of something unknown it is not found', async () => {
    assert.equal((await ask({ directiveId: 'unknown' })).code, 'not_found');
  });
});
