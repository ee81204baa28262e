import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedTestsText, testCountsText } from '../../../src/cli/task/tests-text.ts';

test('tests that failed are named, and what could not be read is said', () => {
  const failures = Array.from({ length: 12 }, (_, index) => ({ name: `t${index}`, message: 'a\nb' }));
  const summary = { passed: 3, failed: 14, skipped: 0, failures, problems: ['no report matches x'] };
  assert.equal(testCountsText(summary), '3 passed, 14 failed');
  const lines = failedTestsText(summary);
  assert.equal(lines[0], '✗ t0: a·b');
  assert.deepEqual(lines.slice(-2), ['… (+4)', '! no report matches x']);
});
