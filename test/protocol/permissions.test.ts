import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Action, actionSpec, actions } from '../../src/protocol/actions.ts';
import { edgeActions, principals } from '../../src/protocol/edges.ts';
import {
  chainOfSend,
  mayPerform,
  maySend,
  maySendFor,
  ownDuties,
  permissionFor,
  permissionsOf,
} from '../../src/protocol/permissions.ts';
import { roleOf, roster } from '../../src/protocol/roster.ts';

const elders = roster(2);
const everybody = principals(elders);
const everyAction = Object.keys(actions) as Action[];

test('every edge carries only what its sender may send and its receiver may carry out: no dead rows in the tables', () => {
  for (const from of everybody) {
    for (const to of everybody) {
      for (const action of edgeActions(from, to)) {
        assert.equal(maySend(from, to, action).allowed, true, `${from} → ${to} ${action}`);
        assert.equal(mayPerform(to, action).allowed, true, `${to} carries out ${action}`);
      }
    }
  }
});

test('what no edge carries is denied, whatever the sender holds', () => {
  assert.match(maySend('grand_elder', 'task_sage', 'sage.task.create').rule, /no edge/);
  assert.match(maySend('servant_1', 'grand_elder', 'report.to_sage.available').rule, /no edge/);
  assert.match(maySend('nobody', 'grand_elder', 'elder.ping').rule, /no edge/);
  assert.deepEqual(permissionsOf('nobody'), []);
});

test('the own domain is that of the name, and of no name that is not in the tree', () => {
  assert.equal(permissionFor('task_sage', 'sage.task.assign'), 'sage.task.*');
  assert.equal(permissionFor('task_sage', 'sage.knowledge.store'), undefined);
  assert.equal(permissionFor('council_sage', 'sage.council.x'), undefined);
  for (const sage of ['knowledge_sage', 'task_sage', 'rag_sage', 'incident_sage']) {
    const domain = sage.replace('_sage', '');
    const other = everyAction.filter(
      (action) => /^sage\.(?!consult)/.test(action) && !action.startsWith(`sage.${domain}.`),
    );
    for (const action of other)
      assert.equal(mayPerform(sage, action).allowed, false, `${sage} carries out ${action}`);
  }
});

suite('the right of a chain', () => {
  const ask = (chain: string[]) =>
    maySendFor('claude_elder', 'knowledge_sage', 'sage.knowledge.search', chain);

  test('is what all of its links have', () => {
    assert.equal(ask([]).allowed, true);
    assert.equal(ask(['gateway', 'grand_elder']).allowed, true);
    assert.match(ask(['servant_1', 'task_sage']).rule, /on behalf of servant_1/);
    assert.match(ask(['gateway', 'task_sage']).rule, /on behalf of task_sage/);
    assert.match(ask(['somebody']).rule, /on behalf of somebody/);
  });

  test('can only be less than the right of its last link', () => {
    const chains = everybody.flatMap((one) => [[one], ...everybody.map((other) => [one, other])]);
    for (const from of everybody) {
      for (const to of everybody) {
        for (const action of everyAction) {
          if (maySend(from, to, action).allowed) continue;
          for (const chain of chains) assert.equal(maySendFor(from, to, action, chain).allowed, false);
        }
      }
    }
  });

  test('begins anew with a duty, goes on with a request and a report, and is not told in an answer', () => {
    const chain = ['gateway', 'grand_elder'];
    assert.deepEqual(chainOfSend('claude_elder', 'sage.task.create', chain), []);
    assert.deepEqual(chainOfSend('claude_elder', 'sage.knowledge.search', chain), chain);
    assert.deepEqual(chainOfSend('claude_elder', 'report.directive.progress', chain), chain);
    assert.deepEqual(chainOfSend('claude_elder', 'reply.result', chain), []);
  });

  test('knows no duty that its role may not do anyway', () => {
    for (const name of everybody) {
      const role = roleOf(name);
      const duties = everyAction.filter((action) => role && ownDuties[role]?.includes(action));
      for (const action of duties) {
        assert.notEqual(actionSpec(action).type, 'report');
        const holders = everybody.filter((other) => roleOf(other) === role && permissionFor(other, action));
        assert.notEqual(holders.length, 0, `${role} ${action}`);
      }
    }
    const named = new Set(Object.values(ownDuties).flat());
    for (const action of named) assert.ok(everyAction.includes(action as Action), `${action} is an action`);
  });
});
