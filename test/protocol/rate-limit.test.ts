import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimit } from '../../src/protocol/rate-limit.ts';

test('a source has its burst, then its rate, and takes nothing from others', () => {
  let now = 0;
  const limit = new RateLimit({ rate: 2, burst: 3, now: () => now });
  const take = (source: string) => {
    try {
      limit.take(source);
      return true;
    } catch (error) {
      assert.equal((error as { code: string }).code, 'rate_limited');
      return false;
    }
  };
  assert.deepEqual(
    [1, 2, 3, 4].map(() => take('a')),
    [true, true, true, false],
  );
  assert.equal(take('b'), true);
  now = 500;
  assert.deepEqual([take('a'), take('a')], [true, false]);
  now = 60_000;
  assert.deepEqual(
    [1, 2, 3, 4].map(() => take('a')),
    [true, true, true, false],
  );
});

test('sources that are idle are forgotten', () => {
  let now = 0;
  const limit = new RateLimit({ rate: 1, burst: 1, now: () => now });
  for (let source = 0; source < 5_000; source += 1) {
    now += 10;
    limit.take(`source ${source}`);
  }
  assert.throws(() => limit.take('source 4999'), { code: 'rate_limited' });
});
