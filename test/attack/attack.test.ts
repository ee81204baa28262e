import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttackOptions, runAttack } from '../../attack/attack.ts';

/** A small matrix: one servant, seen from within it. */
function attack(options: Partial<AttackOptions>) {
  return runAttack({
    servants: 1,
    identities: ['servant_1'],
    withoutPorts: true,
    say: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

test('a check of the receiver that is off is found, and nothing else is', async () => {
  const report = await attack({ off: 'receiver' });
  assert.equal(report.ok, false);
  assert.ok(report.missing.length > 0);
  for (const line of report.missing) assert.match(line, /^receive servant_1>task_sage: /);
  // All the rest of the small matrix holds: denied, audited, and what must be allowed is.
  assert.ok(report.attempts > 5_000);
  assert.deepEqual([report.breaches, report.failedControls, report.unexplained], [[], [], []]);
  assert.ok(report.auditIntact);
});

test('one ACL that was widened is found', async () => {
  const report = await attack({ off: 'acl' });
  assert.equal(report.ok, false);
  assert.ok(report.breaches.some((breach) => breach.startsWith('redis: servant_1: ')));
});

test('a comparison of names in certificates that is loose is found', async () => {
  const report = await attack({ off: 'san', identities: [], withoutPorts: false });
  assert.equal(report.ok, false);
  assert.ok(report.breaches.some((breach) => breach.includes('URI with another tree')));
  assert.ok(report.certificateKinds >= 30);
});
