import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  endMarkedProcesses,
  findMarkedProcesses,
  markVariable,
  newProcessMark,
} from '../../src/telemetry/marked-processes.ts';

/** A shell that has `words` as its last arguments and started a process without them, in a group of its own. */
async function shell(t: TestContext, ...words: string[]) {
  const child = spawn('/bin/sh', ['-c', 'sleep 1000 & echo $!; read -r word', ...words], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  const [line] = await once(child.stdout, 'data');
  t.after(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // The test has ended all of it.
    }
  });
  const unmarked = Number(line);
  // Until it has become another program, the copy of the shell has the shell's arguments.
  while (
    process.platform === 'linux' &&
    !readFileSync(`/proc/${unmarked}/cmdline`, 'latin1').startsWith('sleep')
  ) {
    await setImmediate();
  }
  return { pid: child.pid!, unmarked, ended: once(child, 'exit') };
}

test('a mark is found only as a whole argument', async (t) => {
  const mark = newProcessMark();
  const { pid } = await shell(t, 'sh', mark);
  await shell(t, `${mark}x`);
  await shell(t, `x ${mark}`);
  assert.deepEqual(
    findMarkedProcesses(mark).map((found) => found.pid),
    [pid],
  );
  assert.deepEqual(findMarkedProcesses(newProcessMark()), []);
});

test('what has the mark in its environment is found where that is asked for, whatever it calls itself', async (t) => {
  const mark = newProcessMark();
  const child = spawn('sleep', ['600'], { detached: true, env: { [markVariable]: mark }, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  assert.deepEqual(findMarkedProcesses(mark), []);
  if (process.platform !== 'linux') return;
  assert.deepEqual(
    findMarkedProcesses(mark, { variable: true }).map(({ pid }) => pid),
    [child.pid],
  );
  const ended = once(child, 'exit');
  assert.equal(await endMarkedProcesses(mark, { groups: false, deadlineMs: 60_000 }), false);
  assert.equal(await endMarkedProcesses(mark, { groups: true, deadlineMs: 60_000 }), true);
  assert.equal((await ended)[1], 'SIGKILL');
});

for (const groups of [false, true]) {
  test(`ending what is marked ${groups ? 'ends its group too' : 'leaves its group alone'}`, async (t) => {
    const mark = newProcessMark();
    const { unmarked, ended } = await shell(t, mark);
    assert.equal(await endMarkedProcesses(mark, { groups, deadlineMs: 60_000 }), true);
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.deepEqual(findMarkedProcesses(mark), []);
    if (!groups) process.kill(unmarked, 0);
    assert.equal(await endMarkedProcesses(mark, { groups, deadlineMs: 60_000 }), false);
  });
}
