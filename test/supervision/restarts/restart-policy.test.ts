import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartPolicy } from '../../../src/supervision/restarts/restart-policy.ts';

const limits = { intensity: 5, period: 60_000, backoffFirst: 100, backoffMax: 1_000, stableAfter: 20_000 };
const highest = () => 0.999_999;

function delays(
  policy: RestartPolicy,
  crashes: readonly { at: number; uptime: number }[],
): (number | string)[] {
  return crashes.map(({ at, uptime }) => {
    const decision = policy.crashed(at, uptime);
    return decision.kind === 'restart' ? decision.delayMs : decision.kind;
  });
}

test('the first restart is immediate, the next ones wait up to twice as long each, never above the ceiling', () => {
  const policy = new RestartPolicy({ limits: { ...limits, intensity: 9 }, random: highest });
  const crashes = [0, 1, 2, 3, 4, 5, 6].map((at) => ({ at: 1_000 + at, uptime: 1 }));
  assert.deepEqual(delays(policy, crashes), [0, 99, 199, 399, 799, 999, 999]);
});

test('the wait is anything from nothing to its ceiling', () => {
  const drawn = [0, 0.5, 0.25].values();
  const policy = new RestartPolicy({ limits, random: () => drawn.next().value as number });
  const crashes = [1, 2, 3, 4].map((at) => ({ at, uptime: 1 }));
  assert.deepEqual(delays(policy, crashes), [0, 0, 100, 100]);
});

test('one crash more than the intensity within the period is given up', () => {
  const policy = new RestartPolicy({ limits, random: () => 0 });
  const crashes = [1, 2, 3, 4, 5, 6].map((at) => ({ at, uptime: 1 }));
  assert.deepEqual(delays(policy, crashes), [0, 0, 0, 0, 0, 'give_up']);
});

test('crashes older than the period do not count', () => {
  const policy = new RestartPolicy({ limits, random: () => 0 });
  const early = [1, 2, 3, 4, 5].map((at) => ({ at, uptime: 1 }));
  assert.deepEqual(delays(policy, [...early, { at: 60_002, uptime: 1 }]), [0, 0, 0, 0, 0, 0]);
  assert.equal(policy.crashes.length, 4);
});

test('stable uptime lets the wait start anew, but not the count', () => {
  const policy = new RestartPolicy({ limits, random: highest });
  assert.deepEqual(
    delays(policy, [
      { at: 1, uptime: 1 },
      { at: 2, uptime: 1 },
      { at: 30_000, uptime: 20_000 },
      { at: 30_001, uptime: 19_999 },
      { at: 30_002, uptime: 1 },
      { at: 30_003, uptime: 1 },
    ]),
    [0, 99, 0, 99, 199, 'give_up'],
  );
});

test('what an earlier manager remembered counts', () => {
  const policy = new RestartPolicy({ limits, random: highest, crashes: [1, 2, 3, 4, 5] });
  assert.equal(policy.crashed(6, 1).kind, 'give_up');
  const other = new RestartPolicy({ limits, random: highest, crashes: [1, 2] });
  assert.deepEqual(other.crashed(3, 1), { kind: 'restart', delayMs: 199 });
});

test('a clock that was set back does not let crashes of the future count', () => {
  const policy = new RestartPolicy({ limits, random: () => 0, crashes: [9_001, 9_002, 9_003, 9_004, 9_005] });
  assert.equal(policy.crashed(1, 1).kind, 'restart');
});
