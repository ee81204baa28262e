import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Journal, readJournalText, speaksOf } from '../../src/messaging/journal.ts';

const at = (sequence: number, edge: 'a:normal' | 'b:normal' = 'a:normal', deliveredAt = 7) => ({
  edge,
  sequence,
  id: `5-${sequence}`,
  deliveredAt,
});

test('nothing handled leaves no journal', () => {
  assert.equal(new Journal().text(), null);
});

test('neighbours in an edge share a line, whatever else came between; each message is spoken of once', () => {
  const journal = new Journal();
  for (const sequence of [1, 2, 3]) {
    journal.acted(at(sequence), `m${sequence}`);
    journal.acted(at(sequence, 'b:normal'), `n${sequence}`);
  }
  journal.note({ e: 'a:normal', i: '5-4', m: 'm4', d: 7, t: 2, x: { code: 'internal', reason: 'x' } });
  journal.acted(at(5), 'm5');
  journal.acted(at(6, 'a:normal', 8), 'm6');
  assert.equal(journal.count, 9);
  const lines = readJournalText(journal.text() ?? '');
  assert.deepEqual(lines, [
    { e: 'a:normal', i: '5-3', q: 1, k: 3, d: 7, t: 1 },
    { e: 'b:normal', i: '5-3', q: 1, k: 3, d: 7, t: 1 },
    { e: 'a:normal', i: '5-4', m: 'm4', d: 7, t: 2, x: { code: 'internal', reason: 'x' } },
    { e: 'a:normal', i: '5-5', m: 'm5', d: 7, t: 1 },
    { e: 'a:normal', i: '5-6', m: 'm6', d: 8, t: 1 },
  ]);
  for (const sequence of [1, 2, 3, 4, 5, 6]) {
    const found: unknown[] = lines.filter((line) => line.e === 'a:normal' && speaksOf(line, at(sequence)));
    assert.equal(found.length, 1, String(sequence));
  }
  assert.equal(lines.filter((line) => speaksOf(line, at(7))).length, 0);
});
