import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Core } from '../../src/agents/core.ts';
import { ElderError } from '../../src/protocol/errors.ts';
import type { DeadLetter } from '../../src/protocol/local-api.ts';
import type { ElderMessage } from '../../src/protocol/message.ts';
import { MemoryTree } from '../support/memory-tree.ts';

const self = 'knowledge_sage';
const elder = 'claude_elder';
const draft = { key: 'k', title: 'a title', body: '', tags: [], directiveId: null };

let tree: MemoryTree;
let stored: string[];
/** What the handler of `store` throws; one for each call with a key that is not good. */
let failures: Error[];

const core: Core = {
  handlers: {
    'sage.knowledge.store': (ctx, { payload }) => {
      ctx.table('kept').put(payload.key, payload.key);
      const failure = payload.key.startsWith('good') ? undefined : failures.shift();
      if (failure) throw failure;
      stored.push(payload.key);
    },
    'sage.knowledge.search': (_, { payload }) => {
      if (payload.query === 'nothing') throw new ElderError('not_found', 'nothing there');
      return { entries: [] };
    },
  },
};

beforeEach(() => {
  tree = new MemoryTree();
  stored = [];
  failures = [];
});

const store = (changes: Partial<ElderMessage> = {}, key = 'k') =>
  tree.message(elder, self, 'sage.knowledge.store', { ...draft, key }, changes);
const search = (query: string, changes: Partial<ElderMessage> = {}) =>
  tree.message(elder, self, 'sage.knowledge.search', { query }, changes);
const dead = () => tree.rows<DeadLetter>(self, '@dead');
const codes = () => dead().map(({ errors }) => errors.map(({ code }) => code));

test('a message is acted on once and the journal says so', async () => {
  await tree.start(self, core);
  const message = store();
  await tree.send(message);
  assert.deepEqual(stored, ['k']);
  assert.deepEqual(tree.rows(self, 'kept'), ['k']);
  const [line] = tree.journal(self);
  assert.deepEqual([line?.m, line?.t, line?.x], [message.message_id, 1, undefined]);
});

test('what no edge carries is denied and kept as a dead letter, whatever its sender says', async () => {
  await tree.start(self, core);
  // The task sage has an edge to the gateway and none to this sage; the gateway's carries no `store`.
  await tree.send(tree.message('gateway', self, 'sage.knowledge.store', draft));
  tree.sendRaw('gateway', self, JSON.stringify(store()));
  tree.sendRaw(elder, self, JSON.stringify({ ...store(), target_elder: 'task_sage' }));
  await tree.clock.settle();
  assert.deepEqual(stored, []);
  assert.deepEqual(codes(), [['denied'], ['denied'], ['denied']]);
  assert.equal(tree.handled(self, 'gateway'), 2);
});

test('a denied question is answered with the denial', async () => {
  await tree.start(self, core);
  await tree.send(tree.message('gateway', self, 'sage.task.graph', { directiveId: 'd' }));
  const [reply] = tree.sent(self, 'gateway');
  assert.deepEqual([reply?.action, reply?.payload.code], ['reply.error', 'denied']);
});

test('what is not a message, and a payload that does not fit, are malformed', async () => {
  await tree.start(self, core);
  tree.sendRaw(elder, self, 'not JSON');
  await tree.send(store({ payload: { key: 7 } }), search('x', { payload: {} }));
  assert.deepEqual(codes(), [['malformed'], ['malformed'], ['malformed']]);
  assert.equal(tree.sent(self, elder)[0]?.payload.code, 'malformed');
  assert.equal(
    dead().some(({ body }) => body === 'not JSON'),
    true,
  );
});

test('what has expired is not acted on', async () => {
  await tree.start(self, core);
  const expires_at = new Date(tree.clock.now()).toISOString();
  await tree.send(store({ expires_at }));
  await tree.send(store({ expires_at: new Date(tree.clock.now() + 1).toISOString() }, 'in-time'));
  assert.deepEqual(stored, ['in-time']);
  assert.deepEqual(codes(), [['expired']]);
});

test('what has no handler is answered not_implemented, an unknown action too', async () => {
  await tree.start(self, { handlers: {} });
  await tree.send(search('x'), store(), search('y', { action: 'sage.knowledge.dream' }));
  assert.deepEqual(
    tree.sentAs(self, elder, 'reply.error').map(({ payload }) => payload.code),
    ['not_implemented', 'not_implemented'],
  );
  assert.deepEqual(codes(), [['not_implemented'], ['not_implemented'], ['not_implemented']]);
});

test('a question is answered as urgently as it was asked, in its story', async () => {
  await tree.start(self, core);
  const question = search('x', { priority: 9, correlation_id: 'story' });
  await tree.send(question);
  const [reply] = tree.sent(self, elder);
  assert.deepEqual(reply?.payload, { result: { entries: [] } });
  assert.deepEqual(
    [reply?.priority, reply?.correlation_id, reply?.causation_id, reply?.hops],
    [9, 'story', question.message_id, 1],
  );
});

test('an error that a handler means is its answer, not a dead letter', async () => {
  await tree.start(self, core);
  await tree.send(search('nothing', { requires_ack: true }));
  const [reply, acknowledgement] = tree.sent(self, elder);
  assert.equal(reply?.payload.code, 'not_found');
  assert.equal(acknowledgement?.payload.status, 'acted');
  assert.deepEqual(dead(), []);
  assert.equal(tree.journal(self)[0]?.x, undefined);
});

test('a query whose handler returns nothing is answered with an error, loudly', async () => {
  await tree.start(self, { handlers: { 'sage.knowledge.search': () => undefined } });
  await tree.send(search('x'));
  assert.equal(tree.sent(self, elder)[0]?.payload.code, 'malformed');
});

test('a failing handler is tried again, ever later, and its message becomes a dead letter with all its errors', async () => {
  failures = [new Error('first'), new Error('second'), new Error('third')];
  await tree.start(self, core);
  const message = store();
  const began = tree.clock.now();
  await tree.send(message, store({}, 'good-behind'), store({ priority: 9 }, 'good-faster'));
  assert.deepEqual(stored, ['good-faster']);
  await tree.clock.until(() => failures.length === 1);
  assert.equal(tree.clock.now() - began, 100);
  await tree.clock.until(() => failures.length === 0);
  assert.equal(tree.clock.now() - began, 300);
  const [letter] = dead();
  assert.deepEqual(
    letter?.errors.map(({ reason }) => reason),
    ['first', 'second', 'third'],
  );
  assert.deepEqual([letter?.tries, letter?.body], [3, JSON.stringify(message)]);
  // Its edge and lane waited for it, and go on now; what it had changed is undone.
  assert.deepEqual(stored, ['good-faster', 'good-behind']);
  assert.deepEqual(tree.rows(self, 'kept'), ['good-faster', 'good-behind']);
  assert.deepEqual(
    tree.journal(self).map(({ m, t, x }) => [m === message.message_id, t, x?.code]),
    [
      [false, 1, undefined],
      [true, 3, 'internal'],
      [false, 1, undefined],
    ],
  );
  assert.deepEqual(tree.rows(self, '@attempts'), []);
});

test('a failure that passes leaves no trace but its number of tries', async () => {
  failures = [new Error('once')];
  await tree.start(self, core);
  await tree.send(store());
  await tree.clock.until(() => stored.length === 1);
  await tree.clock.settle();
  assert.equal(tree.journal(self)[0]?.t, 2);
  assert.deepEqual(dead(), []);
});

test('an error that cannot pass is not tried again, one that can is', async () => {
  failures = [new ElderError('conflict', 'never')];
  await tree.start(self, core);
  await tree.send(store());
  assert.deepEqual(codes(), [['conflict']]);
  failures = [new ElderError('not_running', 'later')];
  await tree.send(store({}, 'later'));
  await tree.clock.until(() => stored.length === 1);
  assert.equal(dead().length, 1);
});

test('who wants an acknowledgement gets one, when the message was acted on and when it is dead', async () => {
  failures = [new ElderError('conflict', 'never')];
  await tree.start(self, core);
  const [bad, good] = [store({ requires_ack: true }), store({ requires_ack: true }, 'good')];
  await tree.send(bad, good, store({}, 'good-silent'));
  assert.deepEqual(
    tree.sent(self, elder).map(({ payload }) => payload),
    [
      { original_message_id: bad.message_id, status: 'dead', reason: 'conflict: never' },
      { original_message_id: good.message_id, status: 'acted', reason: null },
    ],
  );
});

test('one failing message does not take the others of its batch with it', async () => {
  failures = [new ElderError('conflict', 'never')];
  await tree.start(self, core);
  await tree.send(store({}, 'bad'), store({}, 'good'), search('x'));
  assert.deepEqual(tree.rows(self, 'kept'), ['good']);
  assert.equal(tree.sent(self, elder).length, 1);
});
