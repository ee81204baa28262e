import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent } from '../../src/agents/agent.ts';
import type { Core } from '../../src/agents/core.ts';
import { machineSources } from '../../src/agents/machine-sources.ts';
import type { Broker } from '../../src/messaging/broker.ts';

import { type Lane, readWindow } from '../../src/protocol/lanes.ts';
import { commitOf } from '../messaging/conformance.ts';
import { MemoryTree } from '../support/memory-tree.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const self = 'knowledge_sage';
let redis: TestRedis;
before(async () => {
  redis = await startTestRedis();
});
after(() => redis.stop());

const wire = new MemoryTree();
const draft = { key: 'k', title: 't', body: '', tags: [], directiveId: null };
function storing(lane: Lane, priority: number, count: number) {
  return Array.from({ length: count }, () => {
    const message = wire.message('claude_elder', self, 'sage.knowledge.store', draft, { priority });
    return { target: self, lane, body: JSON.stringify(message) };
  });
}

test('on Redis, urgent messages pass a backlog within one read window', async () => {
  const backlog = 8_000;
  const claude = await redis.brokerFor('claude_elder');
  const grand = await redis.brokerFor('grand_elder');
  let number = 0;
  for (let sent = 0; sent < backlog; sent += 500) {
    number += 1;
    const answer = await claude.commit(commitOf(number, { send: storing('low', 1, 500) }));
    assert.deepEqual(answer, { kind: 'ok' });
  }
  const halt = wire.message('grand_elder', self, 'emergency.halt', { directiveId: null, reason: 'x' });
  const emergency = { target: self, lane: 'control' as const, body: JSON.stringify(halt) };

  let low = 0;
  /** How many of the backlog were handled when an urgent message reached the process, and when it was handled. */
  const arrived = { emergency: 0, urgent: 0 };
  const handled = { emergency: 0, urgent: 0 };
  const both = Promise.withResolvers<void>();
  const note = (what: keyof typeof handled) => {
    handled[what] = low;
    if (handled.emergency > 0 && handled.urgent > 0) both.resolve();
  };
  const credential = await redis.createIncarnation(self);
  const inner = await redis.brokerFor(self, { credential });
  let isUrgentWaiting = false;
  // What Redis and the kernel take on the way is not the elder's: it has a read waiting, and counts from its answer.
  const broker: Broker = {
    load: () => inner.load(),
    commit: (commit) => inner.commit(commit),
    publish: (event) => inner.publish(event),
    subscribe: (listener) => inner.subscribe(listener),
    close: () => inner.close(),
    read: async (cursors, options) => {
      if (!options.urgent) return inner.read(cursors, options);
      isUrgentWaiting = true;
      const entries = await inner.read(cursors, options);
      isUrgentWaiting = false;
      for (const { edge } of entries) arrived[edge.endsWith('control') ? 'emergency' : 'urgent'] = low;
      return entries;
    },
  };
  const send = async () => {
    while (!isUrgentWaiting) await new Promise((resolve) => setImmediate(resolve));
    await grand.commit(commitOf(1, { send: [emergency] }));
    await claude.commit(commitOf(number + 1, { send: storing('high', 10, 1) }));
  };
  let sending: Promise<void> | undefined;
  const core: Core = {
    handlers: {
      'sage.knowledge.store': (_, { message }) => {
        if (message.priority === 10) return note('urgent');
        low += 1;
        if (low === 10 * readWindow) sending = send();
      },
      'emergency.halt': () => note('emergency'),
    },
  };
  const agent = new Agent({
    name: self,
    incarnation: credential.incarnation,
    pid: process.pid,
    core,
    broker,
    ...machineSources,
    servants: [],
    attempts: 3,
    log: { info: () => {}, warn: () => {} },
  });
  await agent.start();
  const ended = agent.run();
  await both.promise;
  await sending;
  agent.stop();
  await ended;
  assert.ok(low < backlog, 'the backlog was still there');
  for (const what of ['emergency', 'urgent'] as const) {
    const passed = handled[what] - arrived[what];
    assert.ok(passed <= readWindow, `${passed} messages were handled before ${what}`);
  }
});
