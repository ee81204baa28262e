import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Core } from '../../src/agents/core.ts';
import type { DeadLetter } from '../../src/protocol/local-api.ts';
import { type Life, MemoryTree } from '../support/memory-tree.ts';

const self = 'knowledge_sage';
const elder = 'claude_elder';

let tree: MemoryTree;
let broken: boolean;
let handled: string[];
let life: Life | undefined;
const core: Core = {
  handlers: {
    'sage.knowledge.store': (ctx, { payload }) => {
      handled.push(payload.key);
      ctx.table('seen').put(payload.key, ctx.now());
      if (payload.key === 'deadly') life?.kill();
      if (broken) throw new Error(`broken ${handled.length}`);
    },
  },
};

beforeEach(async () => {
  tree = new MemoryTree();
  broken = true;
  handled = [];
  life = undefined;
});

function store(key: string, changes = {}) {
  const draft = { key, title: 't', body: '', tags: [], directiveId: null };
  return tree.message(elder, self, 'sage.knowledge.store', draft, changes);
}
const order = (what: 'replay' | 'discard', messageId: string) =>
  tree.message('grand_elder', self, `elder.dead_letter.${what}`, { elder: self, messageId, by: 'gateway' });
const letters = () => tree.rows<DeadLetter>(self, '@dead');
const orders = () =>
  tree.rows<{ by: string; what: string; messageId: string; found: boolean }>(self, '@orders');

async function bury(key: string, changes = {}): Promise<string> {
  const message = store(key, changes);
  await tree.send(message);
  await tree.clock.advance(5_000);
  return message.message_id;
}

test('a dead letter is handled once more with the same message, and then it is gone', async () => {
  await tree.start(self, core);
  const id = await bury('a', { requires_ack: true });
  assert.deepEqual(handled, ['a', 'a', 'a']);
  assert.equal(
    letters()[0]?.errors.every(({ at, reason }) => at > 0 && reason.startsWith('broken')),
    true,
  );
  broken = false;
  const replay = order('replay', id);
  await tree.send(replay);
  assert.deepEqual(handled, ['a', 'a', 'a', 'a']);
  assert.deepEqual(letters(), []);
  assert.deepEqual(tree.rows(self, '@replays'), []);
  const last = tree.journal(self).findLast(({ m }) => m === id);
  assert.deepEqual([last?.t, last?.x, last?.r], [4, undefined, replay.message_id]);
  // A second order, and the same one read again, find nothing to act on.
  await tree.send(order('replay', id));
  assert.equal(handled.length, 4);
  assert.deepEqual(
    orders().map(({ by, what, messageId, found }) => [by, what, messageId, found]),
    [
      ['gateway', 'replay', id, true],
      ['gateway', 'replay', id, false],
    ],
  );
  const acks = tree.sentAs(self, elder, 'reply.acknowledge').map(({ payload }) => payload.status);
  assert.deepEqual(acks, ['dead', 'acted']);
});

test('one that fails again is a dead letter again, with its whole history and nothing of its changes', async () => {
  await tree.start(self, core);
  const id = await bury('a');
  await tree.send(order('replay', id));
  const [letter] = letters();
  assert.deepEqual([letter?.tries, letter?.replays, letter?.errors.length], [4, 1, 4]);
  assert.deepEqual(tree.rows(self, 'seen'), []);
  assert.equal(tree.handled(self, elder), 1);
});

test('what had expired is handled when a person wants it', async () => {
  broken = false;
  await tree.start(self, core);
  const id = await bury('a', { expires_at: new Date(tree.clock.now() - 1).toISOString() });
  assert.equal(letters()[0]?.errors[0]?.code, 'expired');
  await tree.send(order('replay', id));
  assert.deepEqual(handled, ['a']);
  assert.deepEqual(letters(), []);
});

test('a discarded one is gone, and who wanted it stays recorded', async () => {
  await tree.start(self, core);
  const id = await bury('a');
  await tree.send(order('discard', id), order('discard', 'nothing'));
  assert.deepEqual(letters(), []);
  assert.deepEqual(
    orders().map(({ what, found }) => [what, found]),
    [
      ['discard', true],
      ['discard', false],
    ],
  );
  assert.equal(handled.length, 3);
});

test('one that kills its elder is not handled again by itself', async () => {
  life = await tree.start(self, core);
  const id = await bury('deadly');
  // It died of it; its successors do too, until the message is given up.
  for (let lives = 0; letters().length === 0 && lives < 10; lives += 1) {
    life = await tree.start(self, core);
    await tree.clock.advance(5_000);
  }
  assert.equal(letters().length, 1);
  const before = handled.length;
  life = await tree.start(self, core);
  await tree.send(order('replay', id));
  assert.equal(handled.length, before + 1);
  assert.deepEqual(letters(), []);
  life = await tree.start(self, core);
  await tree.clock.advance(5_000);
  assert.equal(handled.length, before + 1);
  assert.match(letters()[0]?.errors.at(-1)?.reason ?? '', /the process ended/);
});

test('what cannot be read stays what it is', async () => {
  await tree.start(self, core);
  tree.sendRaw(elder, self, '{no json');
  await tree.clock.settle();
  const [name] = [...tree.store.snapshot(self).fields.keys()].filter((field) => field.startsWith('@dead/'));
  await tree.send(order('replay', String(name?.slice('@dead/'.length))));
  const [letter] = letters();
  assert.deepEqual(
    [letter?.replays, letter?.errors.map(({ code }) => code)],
    [1, ['malformed', 'malformed']],
  );
});

test('the oldest dead letters go before all of them take more than 16 MiB', async () => {
  await tree.start(self, core);
  const body = 'x'.repeat(900_000);
  for (let count = 0; count < 20; count += 1) {
    const draft = { key: `k${count}`, title: 't', body, tags: [], directiveId: null };
    await tree.send(tree.message(elder, self, 'sage.knowledge.store', draft));
    await tree.clock.advance(5_000);
  }
  const kept = letters();
  assert.ok(kept.length < 20 && kept.length >= 16, String(kept.length));
  const sizes = kept.reduce((sum, { body: text }) => sum + text.length, 0);
  assert.ok(sizes <= 16_777_216, String(sizes));
  assert.match(JSON.stringify(kept.at(-1)), /k19/);
});
