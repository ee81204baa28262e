import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareEntries } from '../../../src/supervision/audit/entry-order.ts';

test('places are in the order of entries, then of messages in an entry, then of parts of a message', () => {
  const inOrder = ['9-9#0', '10-1.0#0', '10-1.0#1', '10-1.1#0', '10-1.1#10', '10-1#0', '10-2#0', '11-0.5#2'];
  assert.deepEqual(inOrder.toReversed().sort(compareEntries), inOrder);
  assert.equal(compareEntries('10-1.1#3', '10-1.1#3'), 0);
});
