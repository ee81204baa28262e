import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type Health, HealthChecker } from '../../../src/supervision/health/health-checker.ts';

/** A checker on a clock of the test's own; times in ms. */
function harness(answer: () => Promise<Health>, times = { interval: 100, deadline: 500 }) {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  let now = 0;
  const answers: Health[] = [];
  const hanging: string[] = [];
  const checker = new HealthChecker({
    probe: answer,
    ...times,
    now: () => now,
    onAnswer: (health) => answers.push(health),
    onHanging: (reason) => hanging.push(reason),
  });
  return {
    checker,
    answers,
    hanging,
    /** Lets time pass in which this process runs. */
    async run(ms: number) {
      for (let passed = 0; passed < ms; passed += 100) {
        now += 100;
        mock.timers.tick(100);
        await setImmediate();
      }
    },
    /** Lets time pass in which this process is suspended: no timer of its own comes meanwhile. */
    suspend(ms: number) {
      now += ms;
    },
    [Symbol.dispose]() {
      checker.stop();
      mock.timers.reset();
    },
  };
}

const healthy = async (): Promise<Health> => ({ alive: true, ready: true });
const never = () => new Promise<Health>(() => undefined);
const refused = () => Promise.reject(new Error('connection refused'));

test('a process that answers is never hanging', async () => {
  using checked = harness(healthy);
  checked.checker.start();
  await checked.run(5_000);
  assert.equal(checked.hanging.length, 0);
  assert.ok(checked.answers.length >= 50);
});

test('being unready is not being dead', async () => {
  using checked = harness(async () => ({ alive: true, ready: false, reason: 'Redis is away' }));
  checked.checker.start();
  await checked.run(5_000);
  assert.equal(checked.hanging.length, 0);
  assert.deepEqual(checked.answers[0], { alive: true, ready: false, reason: 'Redis is away' });
});

for (const [what, probe] of [
  ['does not answer at all', never],
  ['refuses connections', refused],
] as const) {
  test(`a process that ${what} is hanging after the deadline, once`, async () => {
    using checked = harness(probe);
    checked.checker.start();
    await checked.run(400);
    assert.equal(checked.hanging.length, 0);
    await checked.run(5_000);
    assert.equal(checked.hanging.length, 1);
    assert.match(checked.hanging[0] as string, /no answer for 500 ms/);
  });
}

test('the time in which this process was suspended itself does not count', async () => {
  using checked = harness(never);
  checked.checker.start();
  await checked.run(200);
  checked.suspend(60_000);
  await checked.run(400);
  assert.equal(checked.hanging.length, 0);
  await checked.run(200);
  assert.equal(checked.hanging.length, 1);
});

test('a hang is noticed when the deadline is over, not when the next probe is due', async () => {
  let hangs = false;
  using checked = harness(() => (hangs ? never() : healthy()), { interval: 2_000, deadline: 5_000 });
  checked.checker.start();
  await checked.run(2_000);
  assert.equal(checked.answers.length, 2);
  hangs = true;
  await checked.run(4_900);
  assert.equal(checked.hanging.length, 0);
  await checked.run(100);
  assert.match(checked.hanging[0] ?? '', /no answer for 5000 ms/);
});

test('after stop nobody is called', async () => {
  using checked = harness(healthy);
  checked.checker.start();
  checked.checker.stop();
  await checked.run(1_000);
  assert.deepEqual([checked.answers.length, checked.hanging.length], [0, 0]);
});
