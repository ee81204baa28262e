import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import type { ReplyOf } from '../../../src/protocol/actions.ts';
import { task } from '../../support/directive.ts';
import { leaseMs, TaskBench } from './task-bench.ts';

let bench: TaskBench;
beforeEach(async () => {
  bench = await new TaskBench().start();
});

/** Has the servants finish what they hold until nobody holds anything; gives the order of the tasks. */
async function workOff(
  outcome: (id: string) => 'succeeded' | 'failed' = () => 'succeeded',
  servants = ['servant_1', 'servant_2'],
): Promise<string[]> {
  const done: string[] = [];
  for (;;) {
    const name = servants.find((servant) => bench.current(servant));
    const held = name && bench.current(name);
    if (!held) return done;
    done.push(held.task.id);
    await bench.finish(name, { outcome: outcome(held.task.id) });
  }
}

suite('a matrix', () => {
  test('becomes one task for each combination, with its values in the environment', async () => {
    await bench.available('servant_1');
    const matrix = { node: ['24', '26'], os: ['deb 12'] };
    await bench.create('d', [
      task('t', { matrix, env: { NAME: 'v${{ matrix.node }}' } }),
      task('after', { needs: ['t'] }),
      task('one', { needs: ['t.24.deb-12'] }),
    ]);
    assert.deepEqual(Object.keys(bench.states('d')), ['t.24.deb-12', 't.26.deb-12', 'after', 'one']);
    const { env } = bench.current('servant_1')?.task ?? {};
    assert.deepEqual(env, { MATRIX_NODE: '24', MATRIX_OS: 'deb 12', NAME: 'v24' });
    assert.deepEqual(await workOff(), ['t.24.deb-12', 't.26.deb-12', 'one', 'after']);
    assert.deepEqual(bench.finished()[0]?.summary, { succeeded: 4 });
  });

  test('that fails in one place skips at once what needs all of it', async () => {
    await bench.available('servant_1');
    await bench.create('d', [
      task('t', { matrix: { n: ['1', '2'] } }),
      task('after', { needs: ['t'], matrix: { m: ['1', '2', '3'] } }),
      task('last', { needs: ['after'] }),
    ]);
    await bench.finish('servant_1', { outcome: 'failed' });
    const { after, last } = { after: bench.task('d/after.2'), last: bench.task('d/last') };
    assert.deepEqual([after.state, after.reason], ['skipped', 't.1 did not succeed']);
    assert.deepEqual([last.state, last.reason], ['skipped', 'after did not succeed']);
    await workOff();
    assert.deepEqual(bench.finished()[0]?.summary, { failed: 1, succeeded: 1, skipped: 4 });
  });
});

suite('a condition', () => {
  test('lets a task run because something failed, with what is known of it', async () => {
    await bench.available('servant_1');
    await bench.create('d', [
      task('a'),
      task('mend', { needs: ['a'], condition: 'failure()', env: { WHY: '${{ needs.a.result }}' } }),
      task('tidy', { needs: ['mend'], condition: 'always()' }),
      task('ship', { needs: ['a'] }),
    ]);
    await bench.finish('servant_1', { outcome: 'failed' });
    assert.equal(bench.current('servant_1')?.task.env.WHY, 'failed');
    assert.deepEqual(await workOff(), ['mend', 'tidy']);
    assert.deepEqual(bench.states('d'), {
      a: 'failed',
      mend: 'succeeded',
      tidy: 'succeeded',
      ship: 'skipped',
    });
    assert.equal(bench.finished()[0]?.outcome, 'failed');
  });

  test('that does not hold skips the task, and that alone fails no directive', async () => {
    await bench.available('servant_1');
    await bench.create('d', [
      task('a'),
      task('mend', { needs: ['a'], condition: 'failure()' }),
      task('tell', { needs: ['mend'] }),
      task('n', { matrix: { v: ['1', '2'] }, condition: "matrix.v == '2'" }),
    ]);
    await workOff();
    const states = { a: 'succeeded', mend: 'skipped', tell: 'skipped', 'n.1': 'skipped', 'n.2': 'succeeded' };
    assert.deepEqual(bench.states('d'), states);
    assert.equal(bench.finished()[0]?.outcome, 'completed');
  });

  test('sees a failure through what was skipped because of it', async () => {
    await bench.available('servant_1');
    await bench.create('d', [
      task('a'),
      task('b', { needs: ['a'] }),
      task('c', { needs: ['b'], condition: 'failure()' }),
    ]);
    await bench.finish('servant_1', { outcome: 'failed' });
    assert.deepEqual(await workOff(), ['c']);
  });
});

test('outputs of a task reach the environment of who needs it, and nothing else', async () => {
  await bench.available('servant_1');
  await bench.create('d', [
    task('a'),
    task('b', {
      needs: ['a'],
      env: { V: '${{ needs.a.outputs.version }}!', W: '${{ needs.a.outputs.none }}' },
    }),
  ]);
  await bench.finish('servant_1', { outputs: { version: '$(rm -rf /)' } });
  assert.deepEqual(bench.current('servant_1')?.task.env, { V: '$(rm -rf /)!', W: '' });
  assert.equal(bench.current('servant_1')?.task.run, 'true');
});

suite('choosing the next task', () => {
  test('what something urgent waits for is as urgent', async () => {
    await bench.create('d', [
      task('plain'),
      task('root', { priority: 1 }),
      task('urgent', { needs: ['root'], priority: 9 }),
    ]);
    await bench.available('servant_1');
    assert.deepEqual(await workOff(), ['root', 'urgent', 'plain']);
  });

  test('the earlier deadline goes first among equals', async () => {
    await bench.create('d', [task('a'), task('b', { deadlineMs: 9_000 }), task('c', { deadlineMs: 5_000 })]);
    await bench.available('servant_1');
    assert.deepEqual(await workOff(), ['c', 'b', 'a']);
  });

  test('directives share the servants', async () => {
    await bench.create('d', [task('a'), task('b'), task('c')]);
    await bench.create('e', [task('a'), task('b')]);
    await bench.available('servant_1', 'servant_2');
    const held = ['servant_1', 'servant_2'].map((name) => bench.current(name)?.directiveId);
    assert.deepEqual(held, ['d', 'e']);
    await bench.finish('servant_1');
    assert.equal(bench.current('servant_1')?.directiveId, 'd');
    await bench.finish('servant_2');
    assert.equal(bench.current('servant_2')?.directiveId, 'e');
  });

  test('labels choose the servant, and a task nobody may run holds nobody up', async () => {
    await bench.create('d', [
      task('nobody', { labels: ['tpu'], priority: 10 }),
      task('g', { labels: ['gpu'], priority: 9 }),
      task('k', { labels: ['builder'] }),
    ]);
    await bench.available('servant_1', 'servant_2');
    assert.equal(bench.current('servant_1')?.task.id, 'k');
    assert.equal(bench.current('servant_2')?.task.id, 'g');
    assert.equal(bench.task('d/nobody').state, 'ready');
  });

  test('a servant whose workspace is read-only takes only what asks for it', async () => {
    const kinds = { builder: {}, researcher: { workspace: 'read-only' } };
    const read = await new TaskBench({
      servantKinds: kinds,
      assignKinds: ['researcher', 'builder'],
    }).start();
    await read.available('servant_1');
    await read.create('d', [task('any'), task('look', { labels: ['researcher'] })]);
    assert.equal(read.current('servant_1')?.task.id, 'look');
    await read.finish('servant_1');
    assert.equal(read.current('servant_1'), undefined);
    await read.available('servant_2');
    assert.equal(read.current('servant_2')?.task.id, 'any');
  });

  test('tasks with the same lock run one at a time, over all directives', async () => {
    await bench.create('d', [task('a', { locks: ['db'] })]);
    await bench.create('e', [task('b', { locks: ['db', 'net'] }), task('c')]);
    await bench.available('servant_1', 'servant_2');
    assert.equal(bench.current('servant_1')?.task.id, 'a');
    assert.equal(bench.current('servant_2')?.task.id, 'c');
    await bench.finish('servant_2');
    assert.equal(bench.current('servant_2'), undefined);
    await bench.finish('servant_1', { outcome: 'failed' });
    assert.equal(bench.current('servant_1')?.task.id, 'b');
    await bench.finish('servant_1');
    assert.equal(bench.tree.rows('task_sage', 'locks').length, 0);
  });
});

test('a task that could run says what else it waits for', async () => {
  await bench.create('d', [
    task('nobody', { labels: ['tpu'] }),
    task('held', { locks: ['db'] }),
    task('waits', { locks: ['db'] }),
    task('again', { retries: 1, priority: 9 }),
    task('after', { needs: ['again'] }),
  ]);
  await bench.available('servant_1');
  await bench.finish('servant_1', { outcome: 'failed', reason: null });
  const reasons = async () => {
    const answers = bench.tree.sentAs('task_sage', 'gateway', 'reply.result').length;
    const asked = { directiveId: 'd', since: 0, limit: 10 };
    await bench.tree.send(bench.tree.message('gateway', 'task_sage', 'sage.task.graph', asked));
    const answer = bench.tree.sentAs('task_sage', 'gateway', 'reply.result')[answers];
    const { tasks } = (answer!.payload as unknown as { result: ReplyOf<'sage.task.graph'> }).result;
    return Object.fromEntries(tasks.map(({ id, reason }) => [id, reason]));
  };
  const now = new Date(bench.tree.clock.now() + 1_000).toISOString();
  assert.deepEqual(await reasons(), {
    nobody: 'no servant of this tree has tpu',
    held: null,
    waits: 'd/held holds the lock db',
    again: `it is tried again at ${now}`,
    after: null,
  });
  await bench.control('d', { operation: 'pause', reason: 'lunch' });
  assert.equal((await reasons()).waits, 'its directive is paused: lunch');
});

suite('a deadline', () => {
  test('fails what has not ended by then, and ends what runs', async () => {
    await bench.available('servant_1');
    await bench.create('d', [
      task('runs', { deadlineMs: 3_000, retries: 5 }),
      task('waits', { needs: ['runs'], deadlineMs: 4_000 }),
      task('other'),
    ]);
    await bench.tree.clock.advance(3_500);
    const { lease } = bench.current('servant_1') ?? {};
    assert.deepEqual(
      bench.revoked('servant_1').map((order) => order.lease),
      [lease],
    );
    await bench.finish('servant_1', { outcome: 'cancelled' });
    assert.deepEqual(bench.task('d/runs').reason, 'its deadline has passed');
    assert.deepEqual(bench.states('d'), { runs: 'failed', waits: 'skipped', other: 'running' });
    assert.deepEqual(
      bench.incidents().map(({ title }) => title),
      ['task runs missed its deadline'],
    );
  });

  test('of the directive ends all of it', async () => {
    await bench.available('servant_1');
    await bench.createWith('d', [task('a'), task('b'), task('c', { needs: ['b'] })], 3_000);
    await bench.tree.clock.advance(3_500);
    await bench.finish('servant_1', { outcome: 'cancelled' });
    assert.deepEqual(bench.states('d'), { a: 'failed', b: 'failed', c: 'skipped' });
    assert.deepEqual(
      bench.incidents().map(({ title }) => title),
      ['directive d missed its deadline'],
      'one for all of it',
    );
    assert.equal(bench.finished()[0]?.outcome, 'failed');
  });
});

suite('tasks added while a directive runs', () => {
  test('may need what stands, ended or not', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a'), task('b')]);
    await bench.finish('servant_1');
    await bench.add('d', [task('x', { needs: ['a'] }), task('y', { needs: ['b', 'x'] })]);
    assert.deepEqual(await workOff(), ['b', 'x', 'y']);
    assert.deepEqual(bench.finished()[0]?.summary, { succeeded: 4 });
  });

  test('are refused as a whole where one does not fit', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a')]);
    await bench.add('d', [task('x'), task('a')]);
    await bench.add('d', [task('x', { needs: ['nothing'] })]);
    assert.deepEqual(bench.states('d'), { a: 'running' });
    await bench.finish('servant_1');
    await bench.add('d', [task('x')]);
    assert.deepEqual(bench.finished().length, 1);
    assert.deepEqual(bench.states('d'), { a: 'succeeded' });
  });

  test('by its own command are added only where the directive allows it', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a', { additions: true }), task('b')]);
    await bench.finish('servant_1', { added: [task('from-a', { needs: ['a'] })] });
    await bench.finish('servant_1', { added: [task('from-b')] });
    assert.deepEqual(bench.states('d'), { a: 'succeeded', b: 'succeeded', 'from-a': 'running' });
    assert.match(bench.incidents()[0]?.detail ?? '', /does not allow/);
  });
});

suite('a person', () => {
  test('pauses a task or a directive, and resumes it', async () => {
    await bench.create('d', [task('a'), task('b')]);
    await bench.control('d', { operation: 'pause', taskId: 'a' });
    await bench.available('servant_1');
    assert.deepEqual(await workOff(), ['b']);
    await bench.control('d', { operation: 'pause' });
    await bench.control('d', { operation: 'resume', taskId: 'a' });
    assert.equal(bench.current('servant_1'), undefined);
    await bench.control('d', { operation: 'resume' });
    assert.equal(bench.current('servant_1')?.task.id, 'a');
  });

  test('cancels a subtree; what runs is ended by its servant', async () => {
    await bench.available('servant_1');
    await bench.create('d', [
      task('a'),
      task('b', { needs: ['a'] }),
      task('c', { needs: ['b'], condition: 'always()' }),
      task('leaf', { needs: ['b'] }),
      task('other'),
    ]);
    await bench.control('d', { operation: 'cancel', taskId: 'a', subtree: true });
    assert.equal(bench.revoked('servant_1').length, 1);
    await bench.finish('servant_1', { outcome: 'cancelled' });
    assert.deepEqual(bench.states('d'), {
      a: 'cancelled',
      b: 'cancelled',
      c: 'cancelled',
      leaf: 'cancelled',
      other: 'running',
    });
  });

  test('retries what failed, and what was skipped for it waits for it again', async () => {
    await bench.available('servant_1');
    await bench.create('d', [
      task('a'),
      task('b', { needs: ['a'] }),
      task('c', { needs: ['b'], matrix: { n: ['1', '2'] } }),
      task('z'),
    ]);
    await workOff((id) => (id === 'a' ? 'failed' : 'succeeded'));
    assert.equal(bench.finished()[0]?.outcome, 'failed');
    await bench.control('d', { operation: 'retry', taskId: 'a' });
    assert.deepEqual(bench.states('d'), {
      a: 'running',
      b: 'waiting',
      'c.1': 'waiting',
      'c.2': 'waiting',
      z: 'succeeded',
    });
    assert.equal(bench.tree.sentAs('task_sage', 'claude_elder', 'report.to_elder.graph_reopened').length, 1);
    assert.deepEqual(await workOff(), ['a', 'b', 'c.1', 'c.2']);
    assert.deepEqual(bench.finished()[1]?.summary, { succeeded: 5 });
    assert.equal(bench.task('d/a').attempts, 2);
  });

  test('is told what cannot be done', async () => {
    await bench.available('servant_1');
    await bench.create('d', [task('a')]);
    await bench.control('d', { operation: 'retry', taskId: 'a' });
    await bench.control('d', { operation: 'cancel', taskId: 'none' });
    await bench.control('e', { operation: 'pause' });
    const codes = bench.answers().map((answer) => (answer as { code?: string }).code);
    assert.deepEqual(codes, ['conflict', 'not_found', 'not_found']);
    assert.deepEqual(bench.states('d'), { a: 'running' });
  });
});

test('a directive has begun with its first task, even one that was over before its start was told', async () => {
  await bench.available('servant_1');
  await bench.create('d', [task('a'), task('b', { needs: ['a'] })]);
  const begun = () => bench.tree.sentAs('task_sage', 'claude_elder', 'report.to_elder.graph_started').length;
  assert.equal(begun(), 0);
  await bench.finish('servant_1');
  assert.deepEqual([begun(), bench.graph('d')?.startedAt], [1, bench.tree.clock.now()]);
  await bench.begin('servant_1');
  await bench.finish('servant_1');
  assert.equal(begun(), 1);
});

test('how long like tasks took is told, and when the rest may be done', async () => {
  await bench.available('servant_1');
  await bench.create('d', [task('a', { matrix: { n: ['1', '2', '3'] } })]);
  const took = [1_000, 2_000, 8_000];
  for (const ms of took) {
    await bench.begin('servant_1');
    await bench.tree.clock.advance(Math.min(ms, leaseMs - 1));
    await bench.finish('servant_1', { startedAt: bench.tree.clock.now() - ms });
  }
  await bench.create('e', [task('a', { matrix: { n: ['1', '2'] } }), task('new', { needs: ['a'] })]);
  await bench.tree.send(
    bench.tree.message('gateway', 'task_sage', 'sage.task.graph', { directiveId: 'e', since: 0, limit: 10 }),
  );
  const [answer] = bench.tree.sentAs('task_sage', 'gateway', 'reply.result');
  const { result } = (answer as { payload: object }).payload as {
    result: { forecast: object; tasks: { id: string; estimateMs?: object }[] };
  };
  const now = bench.tree.clock.now();
  assert.deepEqual(result.forecast, { p50: now + 4_000, p90: now + 16_000, unknown: 1 });
  assert.deepEqual(result.tasks.find(({ id }) => id === 'a.1')?.estimateMs, {
    p50: 2_000,
    p90: 8_000,
    samples: 3,
  });
});

test('the tasks of directives that ended long ago are forgotten, their sums are not', async () => {
  await bench.available('servant_1');
  for (const id of ['d1', 'd2', 'd3', 'd4', 'd5']) {
    await bench.create(id, [task('a', { matrix: { n: ['1', '2'] } })]);
    await workOff();
    await bench.tree.clock.advance(1_000);
  }
  assert.deepEqual(bench.states('d2'), {});
  assert.deepEqual(bench.states('d3'), { 'a.1': 'succeeded', 'a.2': 'succeeded' });
  assert.deepEqual([bench.graph('d1')?.archived, bench.graph('d1')?.counts.succeeded], [true, 2]);
  assert.equal(bench.tree.rows('task_sage', 'plans').length, 3);
});
