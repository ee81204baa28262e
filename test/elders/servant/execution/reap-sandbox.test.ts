import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isolationArguments } from '../../../../src/elders/servant/execution/bubblewrap-arguments.ts';
import { reapSandbox } from '../../../../src/elders/servant/execution/reap-sandbox.ts';
import { detectSandbox } from '../../../../src/elders/servant/execution/sandbox.ts';
import {
  readSandboxRecord,
  writeSandboxRecord,
} from '../../../../src/elders/servant/execution/sandbox-record.ts';
import type { ProcessIdentity } from '../../../../src/protocol/process.ts';
import { findMarkedProcesses, newProcessMark } from '../../../../src/telemetry/marked-processes.ts';
import {
  isSameProcess,
  readProcessIdentity,
  signalProcess,
  waitUntilGone,
} from '../../../../src/telemetry/process-identity.ts';
import { newMarker, processesWith, workbench } from './workbench.ts';

const run = promisify(execFile);
const fixture = join(import.meta.dirname, 'fixture/servant-that-is-killed.ts');
const attempt = { directiveId: 'd', taskId: 't', attempt: 1, startedAt: 0 };

/** A process of a group of its own that has `mark` as an argument. */
async function marked(t: TestContext, mark: string): Promise<ChildProcess & { pid: number }> {
  const child = spawn('/bin/sh', ['-c', 'echo up; read -r word', mark], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child as ChildProcess & { pid: number };
}

for (const kind of ['bubblewrap', 'none', 'launcher'] as const) {
  test(`${kind}: a servant killed with SIGKILL takes its command along; the record is reaped`, async (t) => {
    const { base, options, recordPath } = workbench(t);
    const marker = newMarker();
    const stubborn = `trap '' TERM HUP; while :; do sleep 1; done`;
    const script =
      kind === 'bubblewrap'
        ? `setsid sh -c "${stubborn}" ${marker} & ${stubborn}`
        : `sh -c "${stubborn}" ${marker} & ${stubborn}`;
    const command = options(script, kind === 'bubblewrap' ? {} : { sandbox: { kind: 'none' } });
    const hold = kind === 'launcher' ? { folder: join(base, 'launcher'), ms: 600_000 } : undefined;
    const servant = spawn(process.execPath, [fixture, JSON.stringify({ ...command, hold })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => servant.kill('SIGKILL'));
    const [said] = await once(servant.stdout, 'data');
    assert.equal(String(said), 'running\n');
    const { mark } = (await readSandboxRecord(recordPath))!;
    const guards = findMarkedProcesses(mark);
    assert.notDeepEqual(guards, []);

    servant.kill('SIGKILL');
    await once(servant, 'exit');
    // What was started after the look, and what the guards end with them, goes a little later.
    const left = () => findMarkedProcesses(mark, { variable: kind !== 'bubblewrap' });
    for (let all = guards; all.length > 0; all = left()) {
      await Promise.all(all.map((each) => waitUntilGone(each, 60_000)));
    }
    assert.equal((await reapSandbox(recordPath)).kind, 'over');
    assert.equal(existsSync(recordPath), false);
    if (kind === 'bubblewrap') assert.deepEqual(processesWith(marker), []);
  });
}

for (const kind of ['bubblewrap', 'none'] as const) {
  test(`${kind}: processes with the mark of the record are killed, others left alone`, async (t) => {
    const { recordPath } = workbench(t);
    const record = { mark: newProcessMark(), kind, ...attempt };
    const child = await marked(t, record.mark);
    const other = await marked(t, `${record.mark}0`);
    writeSandboxRecord(recordPath, record);
    const exit = once(child, 'exit');
    assert.deepEqual(await reapSandbox(recordPath), { kind: 'killed', record });
    assert.deepEqual(await exit, [null, 'SIGKILL']);
    assert.equal(existsSync(recordPath), false);
    assert.deepEqual(await reapSandbox(recordPath), { kind: 'nothing' });
    assert.notEqual(readProcessIdentity(other.pid), undefined);
  });
}

/** Resolves to the sandbox that bubblewrap left when it died after it made process 1 and before it let it begin. */
async function halfMadeSandbox(t: TestContext, mark: string): Promise<ProcessIdentity[]> {
  const { base } = workbench(t);
  const sandbox = await detectSandbox();
  assert.ok(sandbox.kind === 'bubblewrap');
  // bubblewrap reports the pid of process 1 in between, and waits while nobody takes the report.
  const report = join(base, 'report');
  await run('mkfifo', [report]);
  const reader = openSync(report, constants.O_RDWR | constants.O_NONBLOCK);
  assert.throws(() => {
    for (;;) writeSync(reader, Buffer.alloc(4_096));
  }, /EAGAIN/);
  const writer = openSync(report, constants.O_WRONLY);
  const options = ['--info-fd', '3', ...isolationArguments({ network: false, temporaryBytes: null })];
  const bubblewrap = spawn(sandbox.path, [...options, '--', '/bin/sh', '-c', ':', mark], {
    stdio: ['ignore', 'ignore', 'inherit', writer],
  });
  t.after(() => {
    bubblewrap.kill('SIGKILL');
    for (const left of findMarkedProcesses(mark)) signalProcess(left, 'SIGKILL');
    for (const fd of [reader, writer]) closeSync(fd);
  });
  while (findMarkedProcesses(mark).length < 2) await setImmediate();
  bubblewrap.kill('SIGKILL');
  await once(bubblewrap, 'exit');
  return findMarkedProcesses(mark);
}

test('what bubblewrap leaves when it dies while it makes a sandbox is found by its mark', async (t) => {
  const { recordPath } = workbench(t);
  const record = { mark: newProcessMark(), kind: 'bubblewrap', ...attempt } as const;
  const [orphan, ...more] = await halfMadeSandbox(t, record.mark);
  assert.ok(orphan);
  assert.deepEqual(more, []);
  writeSandboxRecord(recordPath, { ...record, mark: newProcessMark() });
  assert.equal((await reapSandbox(recordPath)).kind, 'over', 'control: without its mark it is not found');
  assert.equal(isSameProcess(orphan), true);
  writeSandboxRecord(recordPath, record);
  assert.equal((await reapSandbox(recordPath)).kind, 'killed');
  assert.equal(isSameProcess(orphan), false);
});

test('a servant killed at any moment of a start leaves nothing that its successor does not end', async (t) => {
  const { options, recordPath } = workbench(t);
  for (let round = 0; round < 6; round += 1) {
    const servant = spawn(process.execPath, [fixture, JSON.stringify(options('sleep 1000'))], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    t.after(() => servant.kill('SIGKILL'));
    while (!existsSync(recordPath)) await setImmediate();
    const { mark } = (await readSandboxRecord(recordPath))!;
    // At the instant at which the first, or the second, process of the sandbox appears, and soon after.
    while (findMarkedProcesses(mark).length <= round % 2) await setImmediate();
    for (let turn = 0; turn < round; turn += 1) await setImmediate();
    servant.kill('SIGKILL');
    await once(servant, 'exit');
    await reapSandbox(recordPath);
    assert.deepEqual(findMarkedProcesses(mark), []);
  }
});

test('an abort at any moment of a start leaves nothing', async (t) => {
  const { run, recordPath } = workbench(t);
  for (let round = 0; round < 6; round += 1) {
    const abort = new AbortController();
    const watching = (async () => {
      while (!existsSync(recordPath)) await setImmediate();
      const { mark } = (await readSandboxRecord(recordPath))!;
      while (findMarkedProcesses(mark).length <= round % 2) await setImmediate();
      abort.abort('enough');
      return mark;
    })();
    assert.equal((await run('sleep 1000', { signal: abort.signal })).outcome, 'cancelled');
    assert.deepEqual(findMarkedProcesses(await watching), []);
  }
});

test('a record that cannot be read is not taken for none', async (t) => {
  const { recordPath } = workbench(t);
  writeFileSync(recordPath, '{"pid":1}');
  await assert.rejects(reapSandbox(recordPath), { code: 'internal' });
  assert.equal(existsSync(recordPath), true);
});

test('a record that a loss of power tore, before this host was started, holds nobody up', async (t) => {
  const { recordPath } = workbench(t);
  writeFileSync(recordPath, '{"mark":"elders-');
  const before = Date.now() / 1_000 - uptime() - 60;
  utimesSync(recordPath, before, before);
  assert.deepEqual(await reapSandbox(recordPath), { kind: 'nothing' });
  utimesSync(recordPath, Date.now() / 1_000, Date.now() / 1_000);
  await assert.rejects(reapSandbox(recordPath), { code: 'internal' });
});
