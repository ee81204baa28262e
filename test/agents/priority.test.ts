import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Core } from '../../src/agents/core.ts';
import { readWindow } from '../../src/protocol/lanes.ts';
import { MemoryTree } from '../support/memory-tree.ts';

const self = 'knowledge_sage';
const backlog = 100_000;

function storing(tree: MemoryTree, priority: number) {
  const draft = { key: 'k', title: 't', body: '', tags: [], directiveId: null };
  return JSON.stringify(tree.message('claude_elder', self, 'sage.knowledge.store', draft, { priority }));
}

suite('into a backlog of 100,000 messages of priority 1', () => {
  /** Sends something after that many messages, within a window or at its end, and counts what is handled before it. */
  async function passedBy(send: (tree: MemoryTree) => void, after: number): Promise<number> {
    const tree = new MemoryTree(2 * backlog);
    const body = storing(tree, 1);
    for (let count = 0; count < backlog; count += 1) tree.sendRaw('claude_elder', self, body, 'low');
    const handled: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const note = (what: string) => {
      handled.push(what);
      if (what !== 'low') resolve();
      if (handled.length === after) send(tree);
    };
    const core: Core = {
      handlers: {
        'sage.knowledge.store': (_, { message }) => note(message.priority === 1 ? 'low' : 'urgent'),
        'emergency.halt': () => note('urgent'),
      },
    };
    const life = await tree.start(self, core);
    await promise;
    life.kill();
    return handled.indexOf('urgent') - after;
  }

  const order = { directiveId: null, reason: 'x' };
  const emergency = (tree: MemoryTree) => {
    const message = tree.message('grand_elder', self, 'emergency.halt', order);
    tree.sendRaw('grand_elder', self, JSON.stringify(message), 'control');
  };
  const urgent = (tree: MemoryTree) => tree.sendRaw('claude_elder', self, storing(tree, 10), 'high');

  for (const [what, send] of [
    ['an emergency', emergency],
    ['one of priority 10', urgent],
  ] as const) {
    test(`${what} is handled within one read window`, async () => {
      const passed = await passedBy(send, 100 * readWindow);
      assert.ok(passed <= readWindow, `${passed} messages were handled before it`);
    });

    test(`${what} that comes while a window is handled waits for the rest of that`, async () => {
      const passed = await passedBy(send, 100 * readWindow + 10);
      assert.ok(passed <= readWindow, `${passed} messages were handled before it`);
    });
  }
});

test('under a steady flood of the upper lanes the low lane gets its share', async () => {
  const tree = new MemoryTree(2 * backlog);
  const handled = { control: 0, high: 0, normal: 0, low: 0 };
  const each = 20_000;
  const lanes = { high: 10, normal: 5, low: 1 } as const;
  for (const [lane, priority] of Object.entries(lanes)) {
    const body = storing(tree, priority);
    for (let count = 0; count < each; count += 1)
      tree.sendRaw('claude_elder', self, body, lane as keyof typeof lanes);
  }
  const halt = tree.message('grand_elder', self, 'emergency.halt', { directiveId: null, reason: 'x' });
  for (let count = 0; count < each; count += 1) {
    tree.sendRaw('grand_elder', self, JSON.stringify(halt), 'control');
  }
  const sizes: number[] = [];
  const total = () => handled.control + handled.high + handled.normal + handled.low;
  const { promise, resolve } = Promise.withResolvers<void>();
  const count = (lane: keyof typeof handled) => {
    handled[lane] += 1;
    if (total() % 6_400 === 0) sizes.push(handled.low);
    if (handled.high === each - readWindow) resolve();
  };
  const byPriority = { 10: 'high', 5: 'normal', 1: 'low' } as const;
  const life = await tree.start(self, {
    handlers: {
      'sage.knowledge.store': (_, { message }) => count(byPriority[message.priority as 10]),
      'emergency.halt': () => count('control'),
    },
  });
  await promise;
  life.kill();
  // All the time, not only on the whole.
  for (const [index, low] of sizes.entries())
    assert.ok(low >= 0.05 * 6_400 * (index + 1), `${low} at ${index}`);
  assert.ok(handled.low >= 0.05 * total());
});
