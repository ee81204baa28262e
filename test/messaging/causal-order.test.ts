import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causalOrder } from '../../src/messaging/causal-order.ts';

function order(...messages: [id: string, causationId: string | null, sentAt: number][]): string {
  const list = messages.map(([id, causationId, sentAt]) => ({ id, causationId, sentAt }));
  return causalOrder(list)
    .map((message) => message.id)
    .join(' ');
}

test('a cause stands before its effects even when the clock says otherwise', () => {
  assert.equal(
    order(['effect', 'cause', 1], ['cause', null, 5], ['later', 'effect', 0]),
    'cause effect later',
  );
});

test('what is free to stand next is sorted by the time of sending, then by id', () => {
  assert.equal(order(['b', null, 2], ['a2', 'a', 3], ['c', null, 4], ['a', null, 2]), 'a b a2 c');
});

test('an unknown cause holds nothing back, and a circle neither', () => {
  assert.equal(order(['x', 'trimmed', 1]), 'x');
  assert.equal(order(['a', 'b', 1], ['b', 'a', 2], ['c', null, 3]), 'c a b');
  assert.equal(order(['self', 'self', 1]), 'self');
});
