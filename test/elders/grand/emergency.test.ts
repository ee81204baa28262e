import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import { grandElder } from '../../../src/elders/grand/grand-elder.ts';
import { messageText } from '../../../src/messaging/codec.ts';
import type { Action, PayloadInput } from '../../../src/protocol/actions.ts';
import { configSchema } from '../../../src/protocol/config.ts';
import { fixedElders } from '../../../src/protocol/roster.ts';
import { directive, task } from '../../support/directive.ts';
import { MemoryTree } from '../../support/memory-tree.ts';

const self = 'grand_elder';
const others = [
  ...fixedElders.map(({ name }) => name).filter((name) => name !== self),
  'servant_1',
  'servant_2',
];

let tree: MemoryTree;
beforeEach(async () => {
  tree = new MemoryTree();
  await tree.start(self, grandElder(configSchema.parse({})));
  await ask('development.directive.submit', { directiveId: 'd', directive: directive([task('a')]) });
});

async function ask<A extends Action>(action: A, payload: PayloadInput<A>): Promise<Record<string, unknown>> {
  const message = tree.message('gateway', self, action, payload);
  await tree.send(message);
  const answer = tree.sent(self, 'gateway').find(({ causation_id }) => causation_id === message.message_id);
  const { result, code } = answer?.payload ?? {};
  return (result ?? { code }) as Record<string, unknown>;
}

const order = (directiveId: string | null, reason = 'smoke') => ({ directiveId, reason });
const halted = async () => (await ask('development.directive.show', { directiveId: 'd' })).halted;

test('an emergency reaches every other process in the control lane, and the gateway is told whom', async () => {
  const answer = await ask('emergency.halt', order(null));
  assert.deepEqual(answer.told, others);
  for (const name of others) {
    const entries = tree.store.edgeOf(name, self, 'control');
    assert.deepEqual(
      entries.map((entry) => JSON.parse(messageText(entry)).payload),
      [order(null)],
      name,
    );
  }
});

test('it goes to the servants that the manager says are there', async () => {
  const payload = { revision: 1, names: ['servant_2', 'servant_9'] };
  await tree.send(tree.message('manager', self, 'supervision.servants', payload));
  const { told } = await ask('emergency.halt', order(null));
  assert.deepEqual(
    told,
    others.filter((name) => name !== 'servant_1'),
  );
});

test('the record of a directive says that it is halted and why, until the halt is lifted or it has ended', async () => {
  assert.equal(await halted(), null);
  await ask('emergency.halt', order('d', 'one'));
  assert.equal(await halted(), 'one');
  await ask('emergency.halt', order(null, 'all'));
  assert.equal(await halted(), 'all');
  await ask('emergency.resume', order(null));
  assert.equal(await halted(), 'one');
  const payload = { directiveId: 'd', outcome: 'cancelled', reason: null, summary: {} } as const;
  await tree.send(tree.message('claude_elder', self, 'report.directive.finished', payload));
  assert.equal(await halted(), null);
  // Nobody keeps the halt of what is over.
  assert.deepEqual(tree.rows(self, 'halts'), []);
  assert.equal(tree.sentAs(self, 'servant_1', 'emergency.resume').length, 2);
});

test('what is not there, has ended or is not halted is refused, and nobody is told', async () => {
  assert.deepEqual(await ask('emergency.halt', order('x')), { code: 'not_found' });
  assert.deepEqual(await ask('emergency.resume', order('d')), { code: 'conflict' });
  assert.deepEqual(await ask('emergency.resume', order(null)), { code: 'conflict' });
  assert.deepEqual(tree.sent(self, 'servant_1'), []);
});

suite('an order about a dead letter', () => {
  test('goes to the elder that keeps it, with who wanted it', async () => {
    for (const elder of ['gateway', 'claude_elder', 'servant_2']) {
      await ask('elder.dead_letter.replay', { elder, messageId: 'm' });
      const [sent] = tree.sentAs(self, elder, 'elder.dead_letter.replay');
      assert.deepEqual(sent?.payload, { elder, messageId: 'm', by: 'gateway' });
    }
  });

  test('about one of its own is carried out here, and for an elder that does not exist refused', async () => {
    tree.sendRaw('claude_elder', self, '{', 'normal');
    await tree.clock.settle();
    const key = [...tree.store.snapshot(self).fields.keys()].find((field) => field.startsWith('@dead/'));
    const messageId = String(key?.slice('@dead/'.length));
    await ask('elder.dead_letter.discard', { elder: self, messageId });
    assert.deepEqual(tree.rows(self, '@dead'), []);
    const unknown = await ask('elder.dead_letter.discard', { elder: 'servant_9', messageId });
    assert.deepEqual(unknown, { code: 'not_found' });
  });
});
