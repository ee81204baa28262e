import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntry } from '../../../src/protocol/audit.ts';
import { LineBudget } from '../../../src/supervision/audit/line-budget.ts';

const denial = (source: string, index: number): AuditEntry => ({
  kind: 'denial',
  event: 'send',
  by: source,
  reason: `reason ${index}`,
  at: index,
  from: { edge: `${source}:control`, entry: `${index}-0#0` },
});

test('a source beyond its budget is counted in one line, with the last of its messages; others are not touched', () => {
  let now = 0;
  const budget = new LineBudget({ burst: 3, perSecond: 1, now: () => now });
  const flood = Array.from({ length: 10 }, (_, index) => denial('servant_1', index));
  const approval: AuditEntry = { kind: 'approval', event: 'approved', by: 'servant_1' };
  const kept = budget.apply([...flood, denial('servant_2', 0), approval]);
  assert.deepEqual(
    kept.map(({ by, event, count = 1, from }) => [by, event, count, from?.entry]),
    [
      ['servant_1', 'send', 1, '0-0#0'],
      ['servant_1', 'send', 1, '1-0#0'],
      ['servant_1', 'send', 1, '2-0#0'],
      ['servant_2', 'send', 1, '0-0#0'],
      ['servant_1', 'approved', 1, undefined],
      ['servant_1', 'more', 7, '9-0#0'],
    ],
  );
  assert.deepEqual([kept.at(-1)?.at, kept.at(-1)?.lastAt], [3, 9]);
  // Whom they are about is told apart as far as it is somebody, and the line with the last message is the last.
  const mixed = ['servant_2', 'x', 'y', 'servant_2', 'z'].map((subject, index) => ({
    ...denial('servant_1', index),
    subject,
  }));
  assert.deepEqual(
    budget.apply(mixed).map(({ subject, count, from }) => [subject, count, from?.entry]),
    [
      ['servant_2', 2, '3-0#0'],
      [null, 3, '4-0#0'],
    ],
  );
  now = 2_000;
  assert.equal(budget.apply(flood).length, 3, 'two lines regained, and one that counts the rest');
});
