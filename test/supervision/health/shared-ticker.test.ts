import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { everyInterval } from '../../../src/supervision/health/shared-ticker.ts';

test('calls of one interval share timers of sixteen, which end with the last', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const set = mock.method(globalThis, 'setInterval');
    const counts = Array.from({ length: 20 }, () => 0);
    const leave = counts.map((_, index) =>
      everyInterval(100, () => {
        counts[index] = (counts[index] ?? 0) + 1;
      }),
    );
    assert.equal(set.mock.callCount(), 2);
    mock.timers.tick(200);
    assert.deepEqual(new Set(counts), new Set([2]));
    leave[0]?.();
    mock.timers.tick(100);
    assert.deepEqual([counts[0], counts[1], counts[19]], [2, 3, 3]);
    for (const each of leave) each();
    mock.timers.tick(1_000);
    assert.deepEqual([counts[0], counts[1], counts[19]], [2, 3, 3]);
    everyInterval(100, () => undefined)();
    assert.equal(set.mock.callCount(), 3, 'nobody joins a timer that has ended');
  } finally {
    mock.restoreAll();
    mock.timers.reset();
  }
});
