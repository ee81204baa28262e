import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { reapSandbox } from '../../../../src/elders/servant/execution/reap-sandbox.ts';
import {
  readSandboxRecord,
  writeSandboxRecord,
} from '../../../../src/elders/servant/execution/sandbox-record.ts';
import {
  isSameProcess,
  readProcessIdentity,
  waitUntilGone,
} from '../../../../src/telemetry/process-identity.ts';
import { newMarker, processesWith, workbench } from './workbench.ts';

const fixture = join(import.meta.dirname, 'fixture/servant-that-is-killed.ts');
const attempt = { directiveId: 'd', taskId: 't', attempt: 1, startedAt: 0 };

function sleeper(t: TestContext): ChildProcess & { pid: number } {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true });
  t.after(() => child.kill('SIGKILL'));
  return child as ChildProcess & { pid: number };
}

for (const kind of ['bubblewrap', 'none'] as const) {
  test(`${kind}: a servant killed with SIGKILL takes its command along; the record is reaped`, async (t) => {
    const { options, recordPath } = workbench(t);
    const marker = newMarker();
    const stubborn = `trap '' TERM HUP; while :; do sleep 1; done`;
    const script =
      kind === 'bubblewrap'
        ? `setsid sh -c "${stubborn}" ${marker} & ${stubborn}`
        : `sh -c "${stubborn}" ${marker} & ${stubborn}`;
    const command = options(script, kind === 'none' ? { sandbox: { kind } } : {});
    const servant = spawn(process.execPath, [fixture, JSON.stringify(command)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => servant.kill('SIGKILL'));
    const [said] = await once(servant.stdout, 'data');
    assert.equal(String(said), 'running\n');
    const record = (await readSandboxRecord(recordPath))!;
    assert.equal(isSameProcess(record), true);

    servant.kill('SIGKILL');
    await once(servant, 'exit');
    await waitUntilGone(record, 10_000);
    const reaped = await reapSandbox(recordPath);
    assert.equal(reaped.kind, 'over');
    assert.equal(existsSync(recordPath), false);
    if (kind === 'bubblewrap') assert.deepEqual(processesWith(marker), []);
  });

  test(`${kind}: a process that the record names and that still lives is killed`, async (t) => {
    const { recordPath } = workbench(t);
    const child = sleeper(t);
    const record = { ...readProcessIdentity(child.pid)!, kind, ...attempt };
    writeSandboxRecord(recordPath, record);
    const exit = once(child, 'exit');
    assert.deepEqual(await reapSandbox(recordPath), { kind: 'killed', record });
    assert.deepEqual(await exit, [null, 'SIGKILL']);
    assert.equal(existsSync(recordPath), false);
    assert.deepEqual(await reapSandbox(recordPath), { kind: 'nothing' });
  });

  test(`${kind}: another process with the same pid, or of another boot, is left alone`, async (t) => {
    const { recordPath } = workbench(t);
    const child = sleeper(t);
    const identity = readProcessIdentity(child.pid)!;
    for (const foreign of [{ startTime: `${Number(identity.startTime) - 1}` }, { bootId: 'another' }]) {
      writeSandboxRecord(recordPath, { ...identity, ...foreign, kind, ...attempt });
      assert.equal((await reapSandbox(recordPath)).kind, 'over');
      assert.equal(isSameProcess(identity), true);
      assert.equal(existsSync(recordPath), false);
    }
  });
}

test('a record that cannot be read is not taken for none', async (t) => {
  const { recordPath } = workbench(t);
  writeFileSync(recordPath, '{"pid":1}');
  await assert.rejects(reapSandbox(recordPath), { code: 'internal' });
  assert.equal(existsSync(recordPath), true);
});
