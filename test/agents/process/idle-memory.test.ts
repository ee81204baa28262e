import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapSpaceStatistics } from 'node:v8';
import { giveMemoryBack } from '../../../src/agents/process/idle-memory.ts';

const young = () =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.physical_space_size ?? 0;

test('a process whose load is over gives back the heap that it had for young objects', () => {
  let kept: unknown[] = [];
  for (let round = 0; round < 40; round += 1) {
    kept = [kept.length, JSON.parse(JSON.stringify(Array.from({ length: 20_000 }, (_, k) => ({ k }))))];
  }
  const before = young();
  assert.ok(before > 4_000_000, `the young heap grew to ${before} bytes only`);
  giveMemoryBack();
  assert.ok(young() < before / 2, `${young()} bytes of ${before} are left`);
  assert.equal(kept.length, 2);
  assert.equal(globalThis.gc, undefined);
});
