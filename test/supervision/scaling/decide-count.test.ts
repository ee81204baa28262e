import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decideCount,
  noMemory,
  type PoolSight,
  type ScalePolicy,
} from '../../../src/supervision/scaling/decide-count.ts';

const policy: ScalePolicy = {
  min: 1,
  max: 8,
  backlog: 4,
  wait: 10_000,
  growCoolDown: 5_000,
  shrinkCoolDown: 60_000,
};

/** Shows one look after the other, at the seconds given, to the automatic; gives the counts that it decides on. */
function counts(looks: readonly [number, Partial<PoolSight>][], change: Partial<ScalePolicy> = {}): number[] {
  let memory = noMemory;
  let count = looks[0]?.[1].count ?? 1;
  return looks.map(([second, seen]) => {
    const sight = { busy: 0, free: 0, ready: 0, since: null, ...seen, count: seen.count ?? count };
    const decision = decideCount(second * 1_000, sight, { ...policy, ...change }, memory);
    memory = decision.memory;
    count = decision.count;
    assert.equal(decision.reason === null, decision.count === sight.count);
    return count;
  });
}

const full = (count: number, ready: number, since: number | null = null) => ({
  busy: count,
  free: 0,
  ready,
  since,
});

test('it grows when more wait than may, at most to twice as many, and not again within the cool-down', () => {
  const looks: [number, Partial<PoolSight>][] = [
    [0, { count: 1, ...full(1, 4) }],
    [1, full(1, 40)],
    [2, full(2, 40)],
    [6, full(2, 40)],
    [12, full(4, 40)],
    [18, full(8, 400)],
  ];
  assert.deepEqual(counts(looks), [1, 2, 2, 4, 8, 8]);
});

test('it adds no more than what waits asks for', () => {
  assert.deepEqual(counts([[0, { count: 4, ...full(4, 20) }]]), [5]);
});

test('a task that waits too long is enough, however few wait', () => {
  const looks: [number, Partial<PoolSight>][] = [
    [9, { count: 2, ...full(2, 1, 0) }],
    [10, full(2, 1, 0)],
  ];
  assert.deepEqual(counts(looks), [2, 3]);
});

test('while somebody is free, or still starts, more of them would not help', () => {
  assert.deepEqual(counts([[99, { count: 2, busy: 1, free: 1, ready: 50, since: 0 }]]), [2]);
});

test('a pool without servants is given one by the first task that has waited', () => {
  const looks: [number, Partial<PoolSight>][] = [
    [0, { count: 0 }],
    [1, full(0, 1, 1_000)],
  ];
  assert.deepEqual(counts(looks, { min: 0 }), [0, 1]);
});

test('it shrinks after a whole calm cool-down, to the most that were busy at once meanwhile', () => {
  const looks: [number, Partial<PoolSight>][] = [
    [0, { count: 6, busy: 1, free: 5 }],
    [30, { busy: 3, free: 3 }],
    [59, { busy: 0, free: 6 }],
    [60, { busy: 0, free: 6 }],
    [61, { busy: 0, free: 3 }],
    [121, { busy: 0, free: 3 }],
    [999, { busy: 0, free: 1 }],
  ];
  assert.deepEqual(counts(looks), [6, 6, 6, 3, 3, 1, 1]);
});

test('a task that waits, or nobody idle, begins the calm anew', () => {
  const looks: [number, Partial<PoolSight>][] = [
    [0, { count: 2, busy: 1, free: 1 }],
    [50, full(2, 0)],
    [70, { busy: 1, free: 1 }],
    [129, { busy: 1, free: 1 }],
    [130, { busy: 1, free: 1 }],
  ];
  assert.deepEqual(counts(looks), [2, 2, 2, 2, 1]);
});

test('bounds that have changed are kept at once', () => {
  assert.deepEqual(counts([[0, { count: 9, busy: 9 }]]), [8]);
  assert.deepEqual(counts([[0, { count: 1 }]], { min: 3 }), [3]);
});
