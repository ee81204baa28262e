import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  isSameProcess,
  parseProcessStat,
  readProcessIdentity,
  readProcessStat,
  signalProcess,
  waitUntilGone,
} from '../../src/telemetry/process-identity.ts';

test('a name with spaces and parentheses does not shift the fields', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'elders-identity-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'a) S 1 (b');
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['1000'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  assert.equal(readProcessStat(child.pid!)?.parent, process.pid);
  assert.match(readProcessIdentity(child.pid!)!.startTime, /^\d+$/);
  assert.equal(parseProcessStat('no stat line'), undefined);
  assert.equal(parseProcessStat(''), undefined);
});

test('only the very process is the same, and only it is signalled', async (t) => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const identity = readProcessIdentity(child.pid!)!;
  assert.equal(isSameProcess(identity), true);
  for (const foreign of [{ startTime: '1' }, { bootId: 'another' }]) {
    assert.equal(isSameProcess({ ...identity, ...foreign }), false);
    assert.equal(signalProcess({ ...identity, ...foreign }, 'SIGKILL'), false);
  }
  await assert.rejects(waitUntilGone(identity, 0), { code: 'timed_out' });
  const exit = once(child, 'exit');
  assert.equal(signalProcess(identity, 'SIGTERM'), true);
  await waitUntilGone(identity, 60_000);
  assert.deepEqual(await exit, [null, 'SIGTERM']);
  assert.equal(signalProcess(identity, 'SIGTERM'), false);
});

test('a process that has ended but is not reaped is gone', async (t) => {
  // The shell becomes a sleep that never asks for its child, which says its pid and ends.
  const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => parent.kill('SIGKILL'));
  const [said] = await once(parent.stdout, 'data');
  const pid = Number(String(said));
  const identity = readProcessIdentity(pid);
  if (identity !== undefined) await waitUntilGone(identity, 60_000);
  assert.equal(readProcessIdentity(pid), undefined);
  assert.equal(readProcessStat(pid)?.state, 'Z');
});

test('what is no pid names no process', () => {
  for (const pid of [0, -1, 1.5, Number.NaN]) assert.equal(readProcessIdentity(pid), undefined);
});

test('a process that is gone holds no port any more, though its first thread ends before the others', async () => {
  const program = `const server = require('net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port))`;
  for (let round = 0; round < 20; round += 1) {
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = await once(child.stdout, 'data');
    const identity = readProcessIdentity(child.pid!)!;
    child.kill('SIGKILL');
    // Without a pause, and so that this process has not reaped it: the moment is a short one.
    while (isSameProcess(identity));
    const server = createServer().listen({ port: Number(line), host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  }
});
