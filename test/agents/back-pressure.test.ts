import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context, Core } from '../../src/agents/core.ts';
import type { DeadLetter } from '../../src/protocol/local-api.ts';
import { hasCode } from '../messaging/conformance.ts';
import { MemoryTree } from '../support/memory-tree.ts';

const sage = 'task_sage';
const elder = 'claude_elder';
const draft = { key: 'k', title: 't', body: '', tags: [], directiveId: null };

/** Answers whoever asks, and counts what it handles. */
function counting(handled: string[], more: Core['handlers'] = {}): Core {
  return {
    handlers: {
      'sage.knowledge.search': (_, { source, payload }) => {
        handled.push(`${source} ${payload.query}`);
        return { entries: [] };
      },
      'sage.knowledge.store': (_, { payload }) => void handled.push(`store ${payload.key}`),
      'emergency.halt': () => void handled.push('halt'),
      ...more,
    },
  };
}

const self = 'knowledge_sage';
const search = (tree: MemoryTree, query: string, source = elder) =>
  tree.message(source, self, 'sage.knowledge.search', { query });
const halt = (tree: MemoryTree) =>
  tree.message('grand_elder', self, 'emergency.halt', { directiveId: null, reason: 'x' });

test('a full edge holds back what writes there; an emergency and all else is handled meanwhile', async () => {
  const tree = new MemoryTree(2);
  const handled: string[] = [];
  await tree.start(self, counting(handled));
  await tree.send(search(tree, 'a'), search(tree, 'b'), search(tree, 'c'), search(tree, 'd'));
  assert.equal(tree.handled(self, elder), 2);
  await tree.send(halt(tree), search(tree, 'other', 'gateway'));
  assert.equal(tree.handled(self, 'grand_elder', 'control'), 1);
  assert.equal(tree.sent(self, 'gateway').length, 1);
  assert.equal(tree.handled(self, elder), 2);
  // A reader for the full edge: all goes on, in order, nothing twice.
  await tree.start(elder, { handlers: {} });
  await tree.clock.advance(3_000);
  const answered = tree.journal(self).filter(({ e }) => e === `${elder}:normal`);
  assert.equal(answered.length, 4);
  assert.equal(tree.sent(self, elder).length, 4);
});

test('two elders that are full towards each other still hear an emergency', async () => {
  const tree = new MemoryTree(3);
  const heard: string[] = [];
  const store = (ctx: Context, target: string, count: number) => {
    for (let index = 0; index < count; index += 1)
      ctx.send(target, 'sage.task.cancel', { directiveId: 'd', reason: 'r' });
  };
  const claude: Core = {
    handlers: {
      'report.to_elder.graph_started': (ctx) => store(ctx, sage, 1),
      'emergency.halt': () => void heard.push('claude'),
    },
    onInput: (ctx, { kind }) => (kind === 'fill' ? store(ctx, sage, 3) : undefined),
  };
  const task: Core = {
    handlers: {
      'sage.task.cancel': (ctx) =>
        void ctx.send(elder, 'report.to_elder.graph_started', { directiveId: 'd' }),
      'emergency.halt': () => void heard.push('task'),
    },
    onInput: (ctx, { kind }) => {
      if (kind !== 'fill') return;
      for (let index = 0; index < 3; index += 1)
        ctx.send(elder, 'report.to_elder.graph_started', { directiveId: 'd' });
    },
  };
  const one = await tree.start(elder, claude);
  await one.agent.input({ kind: 'fill' });
  one.kill();
  const two = await tree.start(sage, {
    ...task,
    handlers: {},
    onStart: (ctx) => task.onInput?.(ctx, { kind: 'fill' }),
  });
  two.kill();
  // Each is full towards the other, and every message brings another one.
  await Promise.all([tree.start(elder, claude), tree.start(sage, task)]);
  await tree.clock.advance(2_000);
  for (const name of [elder, sage]) {
    await tree.send(tree.message('grand_elder', name, 'emergency.halt', { directiveId: null, reason: 'x' }));
  }
  assert.deepEqual(heard.sort(), ['claude', 'task']);
});

test('a step that is too large for the room left is split', async () => {
  const tree = new MemoryTree(10);
  await tree.start(self, counting([]));
  await tree.send(...Array.from({ length: 30 }, (_, index) => search(tree, String(index))));
  // Not one commit of 30, which would never find room.
  assert.equal(tree.handled(self, elder), 10);
  const order: string[] = [];
  await tree.start(elder, { handlers: {} });
  await tree.clock.advance(10_000);
  for (const { causation_id } of tree.sent(self, elder)) order.push(String(causation_id));
  assert.equal(order.length, 30);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => Number(a.slice(3)) - Number(b.slice(3))),
  );
});

test('one handler that sends more than an edge holds is given up with the reason', async () => {
  const tree = new MemoryTree(5);
  const sendMany = (ctx: Context) => {
    for (let index = 0; index < 6; index += 1) ctx.send('incident_sage', 'incident.raise', incident);
  };
  const incident = { fingerprint: 'f', title: 't', severity: 'low', detail: '', directiveId: null } as const;
  const core: Core = {
    handlers: { 'sage.task.cancel': sendMany, 'sage.task.create': () => {} },
    onInput: (ctx) => sendMany(ctx),
  };
  const { agent } = await tree.start(sage, core);
  await tree.send(tree.message(elder, sage, 'sage.task.cancel', { directiveId: 'd', reason: 'r' }));
  await tree.send(
    tree.message(elder, sage, 'sage.task.create', {
      directiveId: 'd',
      title: '',
      workspace: '/w',
      tasks: [],
    }),
  );
  const [letter] = tree.rows<DeadLetter>(sage, '@dead');
  assert.deepEqual(
    letter?.errors.map(({ code, reason }) => `${code}: ${reason}`),
    ['too_large: 6 messages at once to incident_sage:normal, which holds 5'],
  );
  assert.equal(tree.handled(sage, elder), 2);
  assert.equal(tree.sent(sage, 'incident_sage').length, 0);
  await assert.rejects(agent.input({ kind: 'x' }), hasCode('too_large'));
});

test('an input waits for room in its order, one that will not wait is told that the edge is full', async () => {
  const tree = new MemoryTree(1);
  const core: Core = {
    handlers: {},
    onInput: (ctx, { kind }) => {
      if (kind === 'other') return kind;
      ctx.table('t').put(kind, 1);
      ctx.send(self, 'sage.knowledge.store', draft);
      return kind;
    },
  };
  const { agent } = await tree.start(elder, core);
  await agent.input({ kind: 'first' });
  const ends: unknown[] = [];
  const waiting = Promise.all(
    ['second', 'other'].map((kind) => agent.input({ kind }).then((result) => ends.push(result))),
  );
  await tree.clock.settle();
  await assert.rejects(agent.input({ kind: 'hasty' }, { whenFull: 'fail' }), hasCode('edge_full'));
  assert.deepEqual(ends, []);
  assert.equal(tree.store.snapshot(elder).fields.has('t/hasty'), false);
  await tree.start(self, counting([]));
  await tree.clock.advance(2_000);
  await waiting;
  assert.deepEqual(ends, ['second', 'other']);
  assert.equal(tree.sent(elder, self).length, 2);
});

test('a deadline and a timer whose messages find no room come later, once', async () => {
  const tree = new MemoryTree(1);
  const told: string[] = [];
  const core: Core = {
    handlers: {},
    onInput: (ctx) => {
      ctx.send(self, 'sage.knowledge.store', { ...draft, key: 'filler' });
      ctx.ask('incident_sage', 'sage.incident.list', {}, { deadlineMs: 1_000, then: 'over', data: null });
      ctx.table<number>('alarm').put('at', ctx.now() + 1_000);
    },
    continuations: {
      over: (ctx) => void ctx.send(self, 'sage.knowledge.store', { ...draft, key: 'deadline' }),
    },
    wakeAt: (ctx) => ctx.table<number>('alarm').get('at'),
    onWake: (ctx) => {
      ctx.table('alarm').delete('at');
      ctx.send(self, 'sage.knowledge.store', { ...draft, key: 'alarm' });
    },
  };
  const { agent } = await tree.start(elder, core);
  await agent.input({ kind: 'go' });
  await tree.clock.advance(5_000);
  assert.equal(tree.sent(elder, self).length, 1);
  await tree.start(self, counting(told));
  await tree.clock.advance(5_000);
  assert.deepEqual(told.sort(), ['store alarm', 'store deadline', 'store filler']);
});

test('a suspect that waits for room is not counted again at each try', async () => {
  const tree = new MemoryTree(1);
  const first = await tree.start(self, counting([]));
  await tree.send(search(tree, 'a'));
  first.kill();
  await tree.send(search(tree, 'b'));
  await tree.start(self, counting([]));
  await tree.clock.advance(60_000);
  assert.deepEqual(tree.rows<DeadLetter>(self, '@dead'), []);
  await tree.start(elder, { handlers: {} });
  await tree.clock.advance(5_000);
  assert.equal(tree.handled(self, elder), 2);
  assert.deepEqual(
    tree.journal(self).map(({ t, x }) => [t, x]),
    [
      [1, undefined],
      [1, undefined],
    ],
  );
});
