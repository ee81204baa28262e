import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Core } from '../../src/agents/core.ts';
import type { DeadLetter } from '../../src/protocol/local-api.ts';
import type { ElderMessage } from '../../src/protocol/message.ts';
import { maySend } from '../../src/protocol/permissions.ts';
import { MemoryTree } from '../support/memory-tree.ts';

let tree: MemoryTree;
beforeEach(() => {
  tree = new MemoryTree();
});

const finished = {
  directiveId: 'd',
  outcome: 'failed' as const,
  summary: { failed: 1 },
  failures: [],
  retried: [],
  durationMs: 1,
};
const graph = { directiveId: 'd', title: 't', workspace: '/w', tasks: [] };
const renewed = { lease: 'l' };

/** A task sage that is turned: whatever a servant reports, it reports on. */
const deputy: Core = {
  handlers: {
    'report.to_sage.lease_renewed': (ctx) => {
      ctx.send('claude_elder', 'report.to_elder.graph_finished', finished);
    },
  },
};

/** A claude elder that asks for what a report made it want. */
const asker: Core = {
  handlers: {
    'report.to_elder.graph_finished': (ctx) => {
      ctx.ask(
        'knowledge_sage',
        'sage.knowledge.search',
        { query: 'x' },
        { deadlineMs: 1_000, then: 'got', data: null },
      );
    },
    'development.directive.execute': (ctx) => {
      ctx.ask(
        'knowledge_sage',
        'sage.knowledge.search',
        { query: 'x' },
        { deadlineMs: 1_000, then: 'got', data: null },
      );
    },
  },
  continuations: {
    got: (ctx) => {
      ctx.send('incident_sage', 'sage.incident.list', {});
    },
  },
};

const knowledge: Core = { handlers: { 'sage.knowledge.search': () => ({ entries: [] }) } };
const denied = (elder: string) =>
  tree
    .rows<DeadLetter>(elder, '@dead')
    .flatMap(({ errors }) => errors)
    .filter(({ code }) => code === 'denied');
const audited = (elder: string) =>
  tree
    .sentAs(elder, 'auditor', 'audit.report')
    .flatMap(
      ({ payload }) =>
        payload.entries as { kind: string; event: string; subject: string; count: number; reason: string }[],
    );

test('a servant that gets others to ask on for it gains nothing: the chain has only the right that all its links have', async () => {
  await tree.start('task_sage', deputy);
  await tree.start('claude_elder', asker);
  await tree.start('knowledge_sage', knowledge);
  await tree.send(tree.message('servant_1', 'task_sage', 'report.to_sage.lease_renewed', renewed));
  assert.deepEqual(tree.sent('task_sage', 'claude_elder')[0]?.on_behalf_of, ['servant_1']);
  assert.deepEqual(tree.sent('claude_elder', 'knowledge_sage'), []);
  assert.match(denied('claude_elder')[0]?.reason ?? '', /on behalf of servant_1/);
  const [entry] = audited('claude_elder');
  assert.deepEqual(
    [entry?.kind, entry?.event, entry?.subject, entry?.count],
    ['denial', 'send', 'servant_1', 1],
  );
  // The guard is the chain: by its own right the claude elder may ask, so without the chain it would have.
  assert.equal(maySend('claude_elder', 'knowledge_sage', 'sage.knowledge.search').allowed, true);
});

test('what the human asked for is asked for on the human’s behalf, through the answer too', async () => {
  await tree.start('claude_elder', asker);
  await tree.start('knowledge_sage', knowledge);
  const directive = { title: 't', goal: '', workspace: '/w', tasks: [] };
  const order = tree.message('grand_elder', 'claude_elder', 'development.directive.execute', {
    directiveId: 'd',
    directive: {
      ...directive,
      tasks: [{ id: 'a', run: 'true', needs: [], retries: 0, timeoutMs: 1, priority: 5, env: {} }],
    },
  });
  await tree.send({ ...order, on_behalf_of: ['gateway'] });
  const chain = ['gateway', 'grand_elder'];
  assert.deepEqual(tree.sent('claude_elder', 'knowledge_sage')[0]?.on_behalf_of, chain);
  assert.equal(tree.sent('knowledge_sage', 'claude_elder')[0]?.on_behalf_of, undefined);
  assert.deepEqual(tree.sent('claude_elder', 'incident_sage')[0]?.on_behalf_of, chain);
  assert.deepEqual(denied('claude_elder'), []);
});

test('the receiver checks the chain itself, and a sender cannot clear it with what it writes', async () => {
  await tree.start('knowledge_sage', knowledge);
  const question = (changes: Partial<ElderMessage>) =>
    tree.message('claude_elder', 'knowledge_sage', 'sage.knowledge.search', { query: 'x' }, changes);
  await tree.send(question({ on_behalf_of: ['servant_1'] }), question({ on_behalf_of: ['gateway'] }));
  assert.deepEqual(
    tree.sent('knowledge_sage', 'claude_elder').map(({ action }) => action),
    ['reply.error', 'reply.result'],
  );
  // Names that help somebody else do not help: the sender’s own right stays the upper bound.
  await tree.start('task_sage', { handlers: {} });
  await tree.send(
    tree.message(
      'gateway',
      'task_sage',
      'sage.task.create',
      { ...graph },
      { on_behalf_of: ['claude_elder'] },
    ),
  );
  assert.match(denied('task_sage')[0]?.reason ?? '', /no edge gateway → task_sage carries sage.task.create/);
  const [entry] = audited('task_sage');
  assert.deepEqual([entry?.event, entry?.subject], ['receive', 'gateway']);
});

test('equal denials of a flood are counted, not listed, and none holds up the work', async () => {
  const handled: string[] = [];
  await tree.start('knowledge_sage', {
    handlers: {
      'sage.knowledge.search': (_, { payload }) => {
        handled.push(payload.query);
        return { entries: [] };
      },
    },
  });
  for (let index = 0; index < 300; index += 1) {
    tree.sendRaw(
      'gateway',
      'knowledge_sage',
      JSON.stringify(tree.message('claude_elder', 'knowledge_sage', 'elder.ping', {})),
    );
  }
  await tree.send(tree.message('gateway', 'knowledge_sage', 'sage.knowledge.search', { query: 'x' }));
  await tree.clock.settle();
  assert.deepEqual(handled, ['x']);
  const entries = audited('knowledge_sage');
  assert.equal(
    entries.reduce((sum, { count }) => sum + count, 0),
    300,
  );
  assert.ok(entries.length < 20, `${entries.length} entries`);
  assert.deepEqual(tree.rows('knowledge_sage', '@audit'), []);
});

test('while the way to the audit log is full, refusals wait and are counted, and the work goes on', async () => {
  tree = new MemoryTree(2);
  const handled: string[] = [];
  const life = await tree.start('knowledge_sage', {
    handlers: {
      'sage.knowledge.search': (_, { payload }) => {
        handled.push(payload.query);
        return { entries: [] };
      },
    },
  });
  for (const name of ['a', 'b', 'c', 'c', 'd', 'c']) {
    const forged = {
      ...tree.message('claude_elder', 'knowledge_sage', 'elder.ping', {}),
      source_elder: name,
    };
    tree.sendRaw('gateway', 'knowledge_sage', JSON.stringify(forged));
    await tree.clock.settle();
  }
  await tree.send(tree.message('gateway', 'knowledge_sage', 'sage.knowledge.search', { query: 'x' }));
  assert.equal(tree.sentAs('knowledge_sage', 'auditor', 'audit.report').length, 2);
  assert.deepEqual(
    tree
      .rows<{ count: number }>('knowledge_sage', '@audit')
      .map(({ count }) => count)
      .sort(),
    [1, 3],
  );
  assert.equal(audited('knowledge_sage').length, 2);
  // What a process refuses outside of its messages takes the same way.
  life.agent.noteDenial({ kind: 'denial', event: 'https', subject: 'servant_1', reason: 'not the manager' });
  await tree.clock.settle();
  assert.equal(tree.rows('knowledge_sage', '@audit').length, 3);
  assert.deepEqual(handled, ['x']);
});
