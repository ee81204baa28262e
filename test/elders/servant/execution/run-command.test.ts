import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KeptLauncher } from '../../../../src/elders/servant/execution/launcher/kept-launcher.ts';
import type { CommandResult } from '../../../../src/elders/servant/execution/run-command.ts';
import { readSandboxRecord } from '../../../../src/elders/servant/execution/sandbox-record.ts';
import { defaultConfig } from '../../../../src/protocol/config.ts';
import { findMarkedProcesses } from '../../../../src/telemetry/marked-processes.ts';
import { isSameProcess } from '../../../../src/telemetry/process-identity.ts';
import { killIfThere } from '../../../support/end-process.ts';
import { appeared, newMarker, printed, processesWith, workbench } from './workbench.ts';

const none = { sandbox: { kind: 'none' } } as const;

/** A grandchild that has left session and group, ignores SIGTERM, and says when it is there. */
const stubborn = (marker: string) =>
  `setsid sh -c 'trap "" TERM; touch up; while :; do sleep 1; done' ${marker} & until [ -e up ]; do :; done;`;

const kinds = ['bubblewrap', 'none', 'launcher'] as const;
type Kind = (typeof kinds)[number];

/** How a command of each kind is started. */
async function startedAs(t: TestContext, kind: Kind, folder: string) {
  if (kind === 'bubblewrap') return {};
  if (kind === 'none') return none;
  const launcher = await new KeptLauncher(join(folder, 'launcher')).get(10);
  assert.ok(launcher);
  launcher.hold(600_000);
  t.after(() => launcher.close());
  return { ...none, launcher };
}

for (const name of kinds) {
  test(`${name}: exit code, signal, pipefail, output and its hash`, async (t) => {
    const { base, run } = workbench(t);
    const changes = await startedAs(t, name, base);
    const ok = await run('echo out; echo err >&2; echo again > /dev/stdout', changes);
    assert.equal(ok.outcome, 'succeeded', ok.reason ?? '');
    assert.deepEqual([ok.exitCode, ok.signal, ok.reason], [0, null, null]);
    assert.equal(printed(ok), 'out\nerr\nagain\n');
    const bytes = readFileSync(ok.output!.path);
    assert.equal(ok.output!.bytes, bytes.length);
    assert.equal(ok.output!.sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.equal(statSync(ok.output!.path).mode & 0o777, 0o600);
    assert.ok(ok.startedAt! <= ok.finishedAt);

    const failed = await run('exit 7', changes);
    assert.deepEqual([failed.outcome, failed.exitCode, failed.signal], ['failed', 7, null]);
    assert.equal((await run('false\necho not reached', changes)).output!.bytes, 0);
    assert.equal((await run('false | true', changes)).outcome, 'failed');

    const killed = await run('kill -KILL $$', changes);
    assert.deepEqual([killed.outcome, killed.exitCode, killed.signal], ['failed', 137, 'SIGKILL']);
    assert.equal(printed(killed), '');
    // A shell in the background would ignore SIGINT, and a program could not get it back.
    const interrupted = await run('kill -INT $$; echo ignored', changes);
    assert.deepEqual([interrupted.signal, printed(interrupted)], ['SIGINT', '']);
  });

  test(`${name}: a timeout is SIGTERM first, with time to clean up`, async (t) => {
    const { base, run, workspace } = workbench(t);
    const changes = await startedAs(t, name, base);
    const killGraceMs = 30_000;
    let result: CommandResult;
    // One whose time was over before it could say what it does with a signal shows nothing.
    for (let timeoutMs = 300; ; timeoutMs *= 3) {
      const command = `trap 'echo cleaned; exit 3' TERM; touch trapped; sleep 60 & wait`;
      result = await run(command, { ...changes, timeoutMs, killGraceMs });
      if (existsSync(join(workspace, 'trapped'))) break;
    }
    assert.deepEqual([result.outcome, result.exitCode], ['timed_out', 3]);
    assert.equal(printed(result), 'cleaned\n');
  });

  test(`${name}: cancelling ends what ignores SIGTERM`, async (t) => {
    const { base, start, workspace } = workbench(t);
    const changes = await startedAs(t, name, base);
    const marker = newMarker();
    const command = await start(`trap '' TERM; touch up; while :; do sleep 1; done # ${marker}`, changes);
    await appeared(join(workspace, 'up'));
    command.cancel('no longer wanted');
    command.cancel('a second time');
    const result = await command.finished;
    assert.deepEqual([result.outcome, result.signal], ['cancelled', 'SIGKILL']);
    assert.equal(result.reason, 'no longer wanted');
    assert.deepEqual(processesWith(marker), []);
    command.cancel('too late');
  });

  test(`${name}: an aborted signal cancels, before and after the start`, async (t) => {
    const { base, run, start, workspace } = workbench(t);
    const changes = await startedAs(t, name, base);
    const early = await run('touch begun', { ...changes, signal: AbortSignal.abort('gone') });
    assert.deepEqual([early.outcome, early.startedAt, early.reason], ['cancelled', null, 'gone']);
    assert.equal(existsSync(join(workspace, 'begun')), false);
    const abort = new AbortController();
    const command = await start('sleep 60', { ...changes, signal: abort.signal });
    abort.abort('stopped');
    assert.deepEqual((await command.finished).reason, 'stopped');
  });

  test(`${name}: the record names the living process tree, and only while there is one`, async (t) => {
    const { base, start, recordPath, workspace } = workbench(t);
    const changes = await startedAs(t, name, base);
    const command = await start('until [ -e go ]; do sleep 0.01; done', changes);
    const record = await readSandboxRecord(recordPath);
    const kind = name === 'launcher' ? 'none' : name;
    assert.deepEqual([record?.kind, record?.directiveId, record?.taskId], [kind, 'directive', 'task']);
    const own = name === 'launcher' ? 1 : 0;
    const guards = findMarkedProcesses(record!.mark);
    assert.ok(guards.length > own);
    writeFileSync(join(workspace, 'go'), '');
    assert.equal((await command.finished).outcome, 'succeeded');
    assert.equal(existsSync(recordPath), false);
    assert.equal(guards.filter(isSameProcess).length, own);
    assert.equal(findMarkedProcesses(record!.mark).length, own);
  });

  test(`${name}: a command whose record cannot be written never begins`, async (t) => {
    const { run, base, workspace } = workbench(t);
    const changes = await startedAs(t, name, base);
    const marker = newMarker();
    const result = await run(`touch begun # ${marker}`, {
      ...changes,
      recordPath: join(base, 'no/such/folder'),
    });
    assert.equal(result.outcome, 'refused');
    assert.match(result.reason!, /ENOENT/);
    assert.equal(existsSync(join(workspace, 'begun')), false);
    assert.deepEqual(processesWith(marker), []);
  });

  test(`${name}: output beyond the limit is dropped, its end still told`, async (t) => {
    const { base, run } = workbench(t);
    const changes = await startedAs(t, name, base);
    const result = await run('head -c 50000000 /dev/zero; echo the end', {
      ...changes,
      limits: { ...defaultConfig.sandboxLimits, output: 100_000 },
    });
    assert.equal(result.outcome, 'succeeded');
    assert.match(result.reason!, /beyond 100000 bytes was dropped/);
    const bytes = readFileSync(result.output!.path);
    assert.equal(bytes.length, result.output!.bytes);
    assert.match(bytes.subarray(100_000).toString(), /^\n\[elders: output beyond .*\]\n$/);
    assert.ok(printed(result).endsWith('the end\n'));
    assert.ok(Buffer.byteLength(printed(result)) <= 65_536);
  });

  test(`${name}: what cannot be a workspace, command or environment is refused`, async (t) => {
    const { run, base, workspace } = workbench(t);
    const changes = await startedAs(t, name, base);
    writeFileSync(join(base, 'file'), '');
    symlinkSync('/', join(base, 'root-link'));
    for (const bad of ['/', 'relative', join(base, 'absent'), join(base, 'file'), join(base, 'root-link')]) {
      const result = await run('touch begun', { ...changes, workspace: bad });
      assert.equal(result.outcome, 'refused', bad);
      assert.match(result.reason!, /^malformed: workspace/);
    }
    assert.equal((await run('echo \0', changes)).outcome, 'refused');
    const injected = { X: 'x\0--bind\0/\0/' };
    assert.equal((await run('touch begun', { ...changes, environment: injected })).outcome, 'refused');
    assert.equal(existsSync(join(workspace, 'begun')), false);
  });
}

test('bubblewrap: a grandchild that left session and group dies with the command', async (t) => {
  const { run, start, workspace } = workbench(t);
  const marker = newMarker();
  const ended = await run(`${stubborn(marker)} echo done`);
  assert.equal(printed(ended), 'done\n');
  assert.deepEqual(processesWith(marker), []);

  const command = await start(`rm up; ${stubborn(marker)} touch ready; wait`);
  await appeared(join(workspace, 'ready'));
  assert.notDeepEqual(processesWith(marker), []);
  command.cancel('enough');
  await command.finished;
  assert.deepEqual(processesWith(marker), []);
});

test('none: the same grandchild survives, so the test above would see it', async (t) => {
  const { run } = workbench(t);
  const marker = newMarker();
  t.after(() => {
    for (const pid of processesWith(marker)) killIfThere(pid);
  });
  const result = await run(`${stubborn(marker)} echo done`, none);
  assert.equal(result.outcome, 'succeeded');
  assert.match(result.reason!, /outlived the command/);
  assert.notDeepEqual(processesWith(marker), []);
});

test('none: a background process that stayed in the group ends with the command', async (t) => {
  const { run } = workbench(t);
  const marker = newMarker();
  const command = `sh -c 'trap "" TERM; touch up; while :; do sleep 1; done' ${marker} & until [ -e up ]; do :; done`;
  assert.equal((await run(command, none)).outcome, 'succeeded');
  assert.deepEqual(processesWith(marker), []);
});

test('a workspace named by a link is used by its real path', async (t) => {
  const { run, base, workspace } = workbench(t);
  symlinkSync(workspace, join(base, 'link'));
  assert.equal(printed(await run('pwd', { workspace: join(base, 'link') })), `${workspace}\n`);
});
