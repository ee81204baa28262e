import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Core } from '../../src/agents/core.ts';
import type { Fault } from '../../src/messaging/memory/memory-broker.ts';
import type { DeadLetter } from '../../src/protocol/local-api.ts';
import { type Life, MemoryTree } from '../support/memory-tree.ts';

const self = 'knowledge_sage';
const elder = 'claude_elder';
const lanes = { high: 9, normal: 5, low: 1 } as const;

let tree: MemoryTree;
let handled: string[];
beforeEach(() => {
  tree = new MemoryTree();
  handled = [];
});

function send(key: string, priority: number): void {
  const draft = { key, title: 't', body: '', tags: [], directiveId: null };
  const message = tree.message(elder, self, 'sage.knowledge.store', draft, { priority });
  const lane = priority === 9 ? 'high' : priority === 5 ? 'normal' : 'low';
  tree.sendRaw(elder, self, JSON.stringify(message), lane);
}

/** Lives once; dies of poison, which is what has a key that begins so. Gives whether it did. */
async function live(isPoison = (key: string) => key.startsWith('poison')): Promise<boolean> {
  let died = false;
  let life: Life | undefined;
  const core: Core = {
    handlers: {
      'sage.knowledge.store': (_, { payload }) => {
        if (!isPoison(payload.key)) return void handled.push(payload.key);
        died = true;
        life?.kill();
        throw new Error('nobody hears this');
      },
    },
  };
  // Nothing reaches the core before it can be killed.
  const held: (() => void)[] = [];
  const schedule = (_: string, run: (fault?: Fault) => void) =>
    life ? queueMicrotask(() => run()) : void held.push(() => run());
  life = await tree.start(self, core, { schedule });
  for (const go of held) go();
  await tree.clock.advance(10_000);
  return died;
}

const letters = () => tree.rows<DeadLetter>(self, '@dead');
const keyOf = ({ body }: DeadLetter) => (JSON.parse(body) as { payload: { key: string } }).payload.key;

test('after a crash what it may have been is handled by windows, not one by one', async () => {
  (await tree.start(self, { handlers: {} })).kill();
  for (let count = 0; count < 512; count += 1) send(`k${count}`, 5);
  const { commitNumber } = tree.store.snapshot(self);
  assert.equal(await live(), false);
  assert.equal(handled.length, 512);
  // The start, and for each of eight windows its note and itself.
  const commits = tree.store.snapshot(self).commitNumber - commitNumber;
  assert.ok(commits <= 1 + 2 * 8 + 2, `${commits} commits`);
  assert.deepEqual(letters(), []);
});

test('several that kill are each given up, and none of the hundreds around them', async () => {
  const poisons: string[] = [];
  const others: string[] = [];
  for (let count = 0; count < 300; count += 1) {
    for (const [lane, priority] of Object.entries(lanes)) {
      const kills = count % 97 === 5;
      const key = `${kills ? 'poison' : 'k'}-${lane}-${count}`;
      (kills ? poisons : others).push(key);
      send(key, priority);
    }
  }
  let deaths = 0;
  while (await live()) deaths += 1;
  assert.deepEqual(letters().map(keyOf).sort(), poisons.sort());
  assert.deepEqual([...new Set(handled)].sort(), others.sort());
  for (const lane of Object.keys(lanes) as (keyof typeof lanes)[]) {
    assert.equal(tree.handled(self, elder, lane), 300);
  }
  // Each was three times a cause, once perhaps together with others; and nobody was on the watch at the first.
  assert.ok(deaths <= 1 + 4 * poisons.length, `${deaths} deaths for ${poisons.length}`);
  const lines = tree.journal(self);
  assert.equal(lines.length, 900);
  assert.equal(
    lines.every(({ t, x }) => x !== undefined || t <= 2),
    true,
  );
});

test('a try is counted when the process is killed from outside, but only of what was handled alone', async () => {
  for (let count = 0; count < 10; count += 1) send(`k${count}`, 5);
  // Ten times it is killed in the midst of whatever it does first.
  for (let deaths = 0; deaths < 10; deaths += 1) {
    await live(() => true);
  }
  assert.equal(await live(), false);
  // Three of those deaths went to each that was given up; what stood beside was never blamed for them.
  const given = letters().map(keyOf);
  assert.ok(given.length > 0 && given.length <= 3, given.join());
  assert.deepEqual(
    [...given, ...new Set(handled)].sort(),
    [...Array(10).keys()].map((at) => `k${at}`),
  );
});
