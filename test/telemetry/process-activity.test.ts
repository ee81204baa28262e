import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { describeActivity } from '../../src/telemetry/process-activity.ts';

test('what a process does that does not answer is told, and nothing of one that is gone', async () => {
  const child = spawn('/bin/sh', ['-c', 'echo; read -r line'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const pid = child.pid as number;
  await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  // A signal is on its way for a moment.
  while (!describeActivity(pid)?.startsWith('it is stopped')) await delay(1);
  child.kill('SIGCONT');
  while (!describeActivity(pid)?.startsWith('it sleeps')) await delay(1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(describeActivity(pid), undefined);
});
