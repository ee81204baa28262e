import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { ManagerWatch } from '../../../src/agents/process/manager-watch.ts';

let now = 0;
let gone = false;
let watch: ManagerWatch;
beforeEach(() => {
  now = 0;
  gone = false;
  mock.timers.enable({ apis: ['setInterval'] });
  watch = new ManagerWatch({ timeoutMs: 4_000, now: () => now });
  void watch.gone.then(() => {
    gone = true;
  });
});
afterEach(() => {
  watch.stop();
  mock.timers.reset();
});

async function run(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    now += 1_000;
    mock.timers.tick(1_000);
  }
  await Promise.resolve();
}

test('a process without a sign of its manager is alone after the whole time', async () => {
  await run(3_000);
  assert.equal(gone, false);
  await run(1_000);
  assert.equal(gone, true);
});

test('each sign starts the time anew', async () => {
  for (let round = 0; round < 5; round += 1) {
    await run(3_000);
    watch.seen();
  }
  assert.equal(gone, false);
});

test('the time in which it was suspended does not count', async () => {
  await run(2_000);
  now += 3_600_000;
  await run(4_000);
  assert.equal(gone, false);
  await run(1_000);
  assert.equal(gone, true);
});

test('stopped, it is never alone', async () => {
  watch.stop();
  await run(60_000);
  assert.equal(gone, false);
});
