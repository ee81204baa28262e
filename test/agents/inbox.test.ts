import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inbox, readAhead } from '../../src/agents/inbox.ts';
import type { Entry } from '../../src/messaging/broker.ts';
import { type EdgeKey, edgeKey, splitEdgeKey } from '../../src/protocol/keys.ts';
import { laneQuota, lanes, readWindow } from '../../src/protocol/lanes.ts';

function entries(edge: EdgeKey, count: number, first = 1): Entry[] {
  return Array.from({ length: count }, (_, index) => {
    const sequence = first + index;
    return { edge, id: `${sequence}-0`, sequence, body: `${edge} ${sequence}` };
  });
}

function filled(edges: Readonly<Record<EdgeKey, number>>): Inbox {
  const inbox = new Inbox(Object.keys(edges) as EdgeKey[], new Map());
  for (const [edge, count] of Object.entries(edges)) inbox.add(entries(edge as EdgeKey, count), 0);
  return inbox;
}

const laneCounts = (picked: readonly Entry[]) =>
  Object.fromEntries(
    lanes.map((lane) => [lane, picked.filter(({ edge }) => splitEdgeKey(edge).lane === lane).length]),
  );

test('while all lanes are full each gets its quota, the low one too', () => {
  const inbox = filled({ 'a:control': 64, 'a:high': 64, 'a:normal': 64, 'a:low': 64 });
  for (let window = 0; window < 2; window += 1) {
    assert.deepEqual(laneCounts(inbox.pick(readWindow, 0)), laneQuota);
  }
  assert.equal(laneQuota.low > 0, true);
});

test('room that a lane leaves goes to the others by urgency', () => {
  const inbox = filled({ 'a:control': 1, 'a:high': 64, 'a:normal': 64, 'a:low': 1 });
  assert.deepEqual(laneCounts(inbox.pick(readWindow, 0)), { control: 1, high: 50, normal: 12, low: 1 });
});

test('an emergency is the first of the next pick whatever the backlog', () => {
  const inbox = filled({ 'a:control': 0, 'a:normal': 64 });
  inbox.pick(1, 0);
  inbox.add(entries('a:control', 1), 0);
  assert.equal(inbox.pick(readWindow, 0)[0]?.edge, 'a:control');
});

test('edges of one lane share it, and none is always first', () => {
  const inbox = filled({ 'a:normal': 64, 'b:normal': 64, 'c:normal': 3 });
  const picked = inbox.pick(30, 0);
  const count = (edge: string) => picked.filter((entry) => entry.edge === edge).length;
  assert.equal(count('c:normal'), 3);
  assert.equal(Math.abs(count('a:normal') - count('b:normal')) <= 2, true);
  const firsts = new Set(Array.from({ length: 4 }, () => inbox.pick(1, 0)[0]?.edge));
  assert.deepEqual([...firsts].sort(), ['a:normal', 'b:normal']);
});

test('entries of an edge stay in order, those put back too', () => {
  const inbox = filled({ 'a:normal': 10, 'b:normal': 10 });
  const first = inbox.pick(12, 0);
  inbox.putBack(first.slice(4));
  const all = [...first.slice(0, 4), ...inbox.pick(readWindow, 0)];
  for (const edge of ['a:normal', 'b:normal']) {
    const sequences = all.filter((entry) => entry.edge === edge).map(({ sequence }) => sequence);
    assert.deepEqual(sequences, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  }
});

test('an edge that is held back waits, the others go on', () => {
  const inbox = filled({ 'a:normal': 2, 'a:high': 1, 'b:normal': 1 });
  inbox.holdBack('a:normal', 500);
  assert.equal(inbox.nextRetryAt(), 500);
  assert.deepEqual(
    inbox.pick(readWindow, 499).map(({ edge }) => edge),
    ['a:high', 'b:normal'],
  );
  assert.equal(inbox.hasWork(499), false);
  assert.equal(inbox.hasWork(500), true);
  assert.equal(inbox.pick(readWindow, 500).length, 2);
});

test('it asks for edges that have room, behind what it has read', () => {
  const inbox = new Inbox(
    ['a:normal', 'a:high', 'b:normal'],
    new Map([['b:normal', { id: '7-1', sequence: 7 }]]),
  );
  assert.deepEqual(
    inbox.wanted('usual'),
    new Map([
      ['a:normal', '0-0'],
      ['b:normal', '7-1'],
    ]),
  );
  inbox.add(entries('a:normal', readAhead), 0);
  assert.deepEqual(inbox.wanted('usual'), new Map([['b:normal', '7-1']]));
  inbox.pick(1, 0);
  assert.deepEqual(inbox.wanted('urgent'), new Map([['a:high', '0-0']]));
  assert.deepEqual(inbox.wanted('usual').get('a:normal'), `${readAhead}-0`);
});

test('a missing entry is told, with where it should have been', () => {
  const inbox = new Inbox(['a:normal'], new Map([['a:normal', { id: '2-0', sequence: 2 }]]));
  assert.deepEqual(inbox.add(entries(edgeKey('a', 'normal'), 1, 3), 0), []);
  const gaps = inbox.add(entries(edgeKey('a', 'normal'), 2, 6), 0);
  assert.deepEqual(gaps, [{ edge: 'a:normal', expected: 4, found: 6 }]);
});

test('an entry that no commit wrote is handed on, and the count of the others stays right', () => {
  const inbox = new Inbox(['a:normal'], new Map([['a:normal', { id: '2-0', sequence: 2 }]]));
  const foreign = { edge: edgeKey('a', 'normal'), id: '3-0', sequence: Number.NaN, body: '' };
  assert.deepEqual(inbox.add([foreign], 0), []);
  const next = { ...foreign, id: '4-0', sequence: 3, body: 'next' };
  assert.deepEqual(inbox.add([next], 0), []);
  assert.deepEqual(
    inbox.pick(2, 0).map(({ id, sequence }) => [id, sequence]),
    [
      ['3-0', 2],
      ['4-0', 3],
    ],
  );
});
