import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KeptLauncher } from '../../../../src/elders/servant/execution/launcher/kept-launcher.ts';
import { canOrder } from '../../../../src/elders/servant/execution/launcher/order.ts';
import { openReader } from '../../../../src/elders/servant/execution/launcher/pipes.ts';
import { defaultConfig } from '../../../../src/protocol/config.ts';
import { findMarkedProcesses } from '../../../../src/telemetry/marked-processes.ts';
import { appeared, newMarker, printed, processesWith, workbench } from './workbench.ts';

const fixture = join(import.meta.dirname, 'fixture/servant-that-is-killed.ts');
const none = { sandbox: { kind: 'none' } } as const;
const { niceness } = defaultConfig.sandboxLimits;

/** A servant in a process of its own that runs a command for ever; it is ended with the test. */
async function servantWith(t: TestContext, order: object): Promise<ChildProcess> {
  const servant = spawn(process.execPath, [fixture, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => servant.kill('SIGKILL'));
  const [said] = await once(servant.stdout, 'data');
  assert.equal(String(said), 'running\n');
  return servant;
}

/** The command's processes; its servant's command line holds the marker too. */
const ofCommand = (marker: string, servant: ChildProcess) =>
  processesWith(marker).filter((pid) => pid !== servant.pid);

/** Resolves once all processes are gone that began with `exec 9>alive` in a workspace. */
async function goneFrom(workspace: string): Promise<void> {
  const path = join(workspace, 'alive');
  execFileSync('mkfifo', [path]);
  await once(openReader(path).resume(), 'close');
}

for (const kind of ['bubblewrap', 'none'] as const) {
  test(`${kind}: a command ends with its lease although its servant is stopped`, async (t) => {
    const command = (marker: string) =>
      `exec 9>alive; sh -c "trap '' TERM HUP; while :; do sleep 1; done" ${marker} & wait # ${marker}`;
    const changes = kind === 'none' ? none : {};
    const [guarded, unguarded] = [newMarker(), newMarker()];
    const [one, other] = [workbench(t), workbench(t)];
    const ends = [goneFrom(one.workspace), goneFrom(other.workspace)];
    const hold = { folder: join(one.base, 'launcher'), ms: 3_000 };
    const servants = await Promise.all([
      servantWith(t, { ...one.options(command(guarded), changes), hold }),
      servantWith(t, other.options(command(unguarded), changes)),
    ]);
    for (const servant of servants) servant.kill('SIGSTOP');
    await ends[0];
    assert.deepEqual(ofCommand(guarded, servants[0]), []);
    assert.notDeepEqual(ofCommand(unguarded, servants[1]), [], 'control: without a launcher it goes on');
    for (const servant of servants) servant.kill('SIGKILL');
    await ends[1];
  });

  test(`${kind}: a command goes on beyond its lease as long as its servant says so`, async (t) => {
    const { options, workspace, run, base } = workbench(t);
    const launcher = await new KeptLauncher(join(base, 'launcher')).get(niceness);
    assert.ok(launcher);
    t.after(() => launcher.close());
    const changes = { ...(kind === 'none' ? none : {}), launcher };
    launcher.hold(60_000);
    writeFileSync(join(workspace, 'log'), '');
    const running = run('for n in 1 2 3 4 5 6; do echo $n; sleep 0.2; done', changes);
    launcher.hold(60_000);
    const result = await running;
    assert.equal(printed(result), '1\n2\n3\n4\n5\n6\n');
    assert.equal(options('').attempt, 2);
  });
}

test('what a command is given by a launcher is what it is given without', async (t) => {
  const { run, base } = workbench(t);
  const launcher = await new KeptLauncher(join(base, 'launcher')).get(niceness);
  assert.ok(launcher);
  t.after(() => launcher.close());
  launcher.hold(60_000);
  const environment = {
    QUOTE: `it's "$HOME" \`x\` \\`,
    LINES: 'a\nb\n',
    JA: '日本語',
    LANG: 'C',
    HOME: '/nowhere',
  };
  const script = `env -0 | sort -z | tr '\\0' '\\n'; ulimit -a; ls /proc/self/fd; umask; cat; pwd; trap; nice; echo 'it'"'"'s'`;
  const shown = async (changes: object) => {
    const { output, reason } = await run(script, { ...none, ...changes, environment });
    assert.equal(reason, null);
    return output?.tail.replace(/ELDERS_(ATTEMPT|MARK)=.*/g, '');
  };
  assert.equal(await shown({ launcher }), await shown({}));
});

test('a launcher is not given variables that mean something to bash', async (t) => {
  const { run, base } = workbench(t);
  assert.equal(canOrder({ PATH: '/bin', NODE_OPTIONS: '', A_1: 'x' }), true);
  for (const name of ['UID', 'IFS', 'BASH_ENV', 'SHELLOPTS', 'RANDOM', 'POSIXLY_CORRECT', 'a-b', '']) {
    assert.equal(canOrder({ [name]: 'x' }), false, name);
  }
  const launcher = await new KeptLauncher(join(base, 'launcher')).get(niceness);
  launcher?.hold(60_000);
  t.after(() => launcher?.close());
  const result = await run('env | grep ^UID=', { ...none, launcher, environment: { UID: 'x' } });
  assert.match(result.reason ?? printed(result), /exit code 1|UID=/);
});

test('a command that kills its launcher has failed, and the next one gets another', async (t) => {
  const { run, base } = workbench(t);
  const kept = new KeptLauncher(join(base, 'launcher'));
  kept.hold(60_000);
  const first = await kept.get(niceness);
  const killer = `kill -KILL $(ps -o ppid= -p $(ps -o ppid= -p $$)); sleep 60`;
  const killed = await run(killer, { ...none, launcher: first });
  assert.deepEqual([killed.outcome, killed.exitCode], ['failed', null]);
  const second = await kept.get(niceness);
  t.after(() => second?.close());
  assert.notEqual(second, first);
  assert.equal(printed(await run('echo fine', { ...none, launcher: second })), 'fine\n');
});

test('a command that kills the leader of its group has failed', async (t) => {
  const { run, base } = workbench(t);
  const launcher = await new KeptLauncher(join(base, 'launcher')).get(niceness);
  assert.ok(launcher);
  t.after(() => launcher.close());
  launcher.hold(60_000);
  const killed = await run('kill -KILL $(ps -o ppid= -p $$); sleep 60', { ...none, launcher });
  assert.deepEqual([killed.outcome, killed.exitCode], ['failed', null]);
  assert.equal(printed(await run('echo fine', { ...none, launcher })), 'fine\n');
});

test('a launcher that is stopped holds nobody up', async (t) => {
  const { start, run, base, workspace } = workbench(t);
  const kept = new KeptLauncher(join(base, 'launcher'), 6_000);
  kept.hold(60_000);
  const launcher = await kept.get(niceness);
  assert.ok(launcher);
  const command = await start('echo $PPID > leader; sleep 600', { ...none, launcher });
  await appeared(join(workspace, 'leader'));
  const [leader] = findMarkedProcesses(launcher.mark).map(({ pid }) => pid);
  process.kill(leader as number, 'SIGSTOP');
  command.cancel('enough');
  assert.equal((await command.finished).outcome, 'cancelled');
  const next = await kept.get(niceness);
  t.after(() => next?.close());
  assert.equal(printed(await run('echo fine', { ...none, launcher: next })), 'fine\n');
});
