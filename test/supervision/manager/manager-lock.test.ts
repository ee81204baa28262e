import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ElderError } from '../../../src/protocol/errors.ts';
import { ManagerLock } from '../../../src/supervision/manager/manager-lock.ts';
import { readProcessIdentity } from '../../../src/telemetry/process-identity.ts';

const module = join(import.meta.dirname, '../../../src/supervision/manager/manager-lock.ts');
const self = readProcessIdentity(process.pid) as NonNullable<ReturnType<typeof readProcessIdentity>>;
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'elders-lock-'));
  path = join(folder, 'manager.lock');
});
afterEach(() => rm(folder, { recursive: true }));

/** Starts a process that holds the lock until it is killed. */
async function holdApart() {
  const program = `
    const { ManagerLock } = await import(${JSON.stringify(module)});
    globalThis.lock = ManagerLock.take(${JSON.stringify(path)}, { pid: process.pid, startTime: '1', bootId: 'b' });
    console.log('held');
    setInterval(() => {}, 60000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

function isRefusal(pid: number | undefined) {
  return (error: unknown) =>
    error instanceof ElderError && error.code === 'already_running' && error.reason.includes(`pid ${pid}`);
}

test('a second holder is refused and told who holds it, in this process and in another', async () => {
  const lock = ManagerLock.take(path, self);
  assert.throws(() => ManagerLock.take(path, self), isRefusal(process.pid));
  lock.release();
  assert.equal(existsSync(`${path}.json`), false);
  const child = await holdApart();
  assert.throws(() => ManagerLock.take(path, self), isRefusal(child.pid));
  child.kill('SIGKILL');
  await once(child, 'exit');
});

test('the lock of a killed holder is free', async () => {
  const child = await holdApart();
  child.kill('SIGKILL');
  await once(child, 'exit');
  ManagerLock.take(path, self).release();
});
