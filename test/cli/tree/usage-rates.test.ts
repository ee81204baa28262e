import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageRates } from '../../../src/cli/tree/usage-rates.ts';
import type { ProcessMeasure, TreeMeasure } from '../../../src/protocol/operations.ts';

function measure(at: number, change: Partial<ProcessMeasure> = {}): TreeMeasure {
  const facts = { name: 'task_sage', state: 'ready', pid: 7, memory: 1_000, waiting: 3, restarts: 0 };
  return { at, state: 'ready', processes: [{ ...facts, cpuTime: 500, handled: 10, sent: 20, ...change }] };
}

test('rates are what was used and done per time between two measurements', () => {
  const { spanMs, processes } = usageRates(
    measure(1_000),
    measure(3_000, { cpuTime: 1_500, handled: 14, sent: 20 }),
    9,
  );
  assert.equal(spanMs, 2_000);
  const { cpu, handled, sent, waiting } = processes[0] ?? assert.fail();
  assert.deepEqual([cpu, handled, sent, waiting], [0.5, 2, 0, 3]);
});

test('what cannot be compared is not made up', () => {
  const other = usageRates(measure(1_000), measure(2_000, { pid: 8, cpuTime: 900 }), 9).processes[0];
  assert.equal(other?.cpu, null);
  const lost = usageRates(measure(1_000), measure(2_000, { handled: 2, sent: null }), 9).processes[0];
  assert.deepEqual([lost?.handled, lost?.sent], [null, null]);
  const added = usageRates({ ...measure(1_000), processes: [] }, measure(2_000), 9).processes[0];
  assert.deepEqual([added?.cpu, added?.handled], [null, null]);
});
