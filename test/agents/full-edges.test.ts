import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FullEdges, type OutEdge } from '../../src/agents/full-edges.ts';

const edge: OutEdge = 'servant_1:normal';
const other: OutEdge = 'servant_2:normal';
const parts = (count: number) => new Map([[edge, count]]);

test('an edge that was not refused takes anything', () => {
  const edges = new FullEdges(() => 0.5);
  assert.deepEqual(edges.admit([edge], parts(10_000), 0), { kind: 'go' });
});

test('a refused step is halved until a single part is refused, which waits ever longer', () => {
  const edges = new FullEdges(() => 0.5);
  assert.equal(edges.refused(edge, 5, 0), false);
  assert.deepEqual(edges.admit([edge], parts(1), 0), { kind: 'go' });
  assert.deepEqual(edges.admit([edge], parts(2), 0), { kind: 'later' });
  assert.equal(edges.refused(edge, 1, 100), true);
  assert.deepEqual(edges.admit([other, edge], parts(0), 100), { kind: 'full', edge, until: 115 });
  assert.deepEqual(edges.admit([other], parts(0), 100), { kind: 'go' });
  assert.deepEqual(edges.admit([edge], parts(0), 115), { kind: 'go' });
  assert.deepEqual(edges.admit([edge], parts(1), 115), { kind: 'later' });
  assert.equal(edges.refused(edge, 1, 115), false);
  assert.deepEqual(edges.admit([edge], parts(0), 115), { kind: 'full', edge, until: 145 });
  for (let round = 0; round < 20; round += 1) edges.refused(edge, 1, 0);
  assert.deepEqual(edges.admit([edge], parts(0), 0), { kind: 'full', edge, until: 750 });
});

test('what lands opens it, at first carefully', () => {
  const edges = new FullEdges(() => 0.5);
  edges.refused(edge, 1, 0);
  assert.deepEqual(edges.landed(parts(1)), [edge]);
  assert.deepEqual(edges.admit([edge], parts(1), 15), { kind: 'go' });
  assert.deepEqual(edges.admit([edge], parts(2), 15), { kind: 'later' });
  assert.deepEqual(edges.landed(parts(1)), []);
  // Less was sent than was allowed.
  assert.deepEqual(edges.admit([edge], parts(1_000), 15), { kind: 'go' });
});
