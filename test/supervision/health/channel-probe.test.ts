import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChannelProbe } from '../../../src/supervision/health/channel-probe.ts';

test('an answer is to the probe of its number, and to no other', async () => {
  const asked: number[] = [];
  const probe = new ChannelProbe((n) => asked.push(n));
  void probe.probe();
  const second = probe.probe();
  const answers: unknown[] = [];
  void second.then((health) => answers.push(health));
  probe.answered(1, null);
  await Promise.resolve();
  assert.deepEqual(answers, [], 'what was said to the one before tells nothing of now');
  probe.answered(2, 'Redis is away');
  assert.deepEqual(await second, { alive: true, ready: false, reason: 'Redis is away' });
  const third = probe.probe();
  probe.answered(3, null);
  assert.deepEqual(await third, { alive: true, ready: true });
  assert.deepEqual(asked, [1, 2, 3]);
});
