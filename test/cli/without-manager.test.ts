import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { claimPortBase } from '../../scripts/claim-port-base.ts';
import type { ProcessIdentity, TreeStatus } from '../../src/protocol/process.ts';
import { type StateFolder, stateFolder } from '../../src/protocol/state-folder.ts';
import { ManagerLock } from '../../src/supervision/manager/manager-lock.ts';
import { newProcessMark } from '../../src/telemetry/marked-processes.ts';
import { isSameProcess, readProcessIdentity } from '../../src/telemetry/process-identity.ts';
import { callElders, temporaryFolder } from './elders-command.ts';

const deaf = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); process.stdout.write('ready')";
const polite = "setInterval(() => {}, 1e6); process.stdout.write('ready')";

async function orphan(
  context: TestContext,
  source: string,
  mark = 'unmarked',
): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  const child = spawn(process.execPath, ['-e', source, mark], { stdio: ['ignore', 'pipe', 'ignore'] });
  context.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  const identity = readProcessIdentity(child.pid!);
  assert.ok(identity);
  return { child, identity };
}

function treeIn(context: TestContext): StateFolder {
  const folder = stateFolder(temporaryFolder(context));
  mkdirSync(folder.run, { recursive: true });
  writeFileSync(folder.tree, JSON.stringify({ id: 't0123456789', createdAt: 1 }));
  return folder;
}

function note(folder: StateFolder, name: string, identity: ProcessIdentity): void {
  const record = {
    ...identity,
    name,
    incarnation: 3,
    host: '127.0.0.1',
    port: 7001,
    startedAt: Date.now(),
    restarts: 2,
  };
  writeFileSync(folder.processRecord(name), JSON.stringify(record));
}

test('status lists elders that outlived their manager, and down ends exactly these', async (context) => {
  const folder = treeIn(context);
  const sage = await orphan(context, polite);
  const stranger = await orphan(context, polite);
  note(folder, 'task_sage', sage.identity);
  // The same pid at another start time is another process: it must not be seen, let alone be ended.
  note(folder, 'rag_sage', { ...stranger.identity, startTime: '1' });
  writeFileSync(folder.processRecord('grand_elder'), 'no record');

  const status = await callElders(['status', '--json'], { cwd: folder.project });
  assert.equal(status.code, 3);
  const document = JSON.parse(status.stdout) as TreeStatus;
  assert.equal(document.state, 'degraded');
  assert.equal(document.tree, 't0123456789');
  assert.equal(document.manager, null);
  const alive = document.elders.filter(({ pid }) => pid !== null);
  assert.deepEqual(
    alive.map(({ name, pid, port, incarnation, restarts }) => [name, pid, port, incarnation, restarts]),
    [['task_sage', sage.child.pid, 7001, 3, 2]],
  );
  assert.match((await callElders(['status'], { cwd: folder.project })).stdout, /no manager/);

  const down = await callElders(['down', '--json'], { cwd: folder.project });
  assert.equal(down.code, 0, down.stderr);
  assert.deepEqual(JSON.parse(down.stdout), { stopped: true, manager: false, orphans: ['task_sage'] });
  assert.equal(isSameProcess(sage.identity), false);
  assert.equal(isSameProcess(stranger.identity), true);
  assert.equal(existsSync(folder.processRecord('task_sage')), false);
});

test('down --force kills what does not listen, and the sandbox of a servant with it', async (context) => {
  const folder = treeIn(context);
  const servant = await orphan(context, deaf);
  const mark = newProcessMark();
  const sandbox = await orphan(context, deaf, mark);
  note(folder, 'servant_1', servant.identity);
  const attempt = { mark, kind: 'bubblewrap', directiveId: 'd', taskId: 't', attempt: 1, startedAt: 1 };
  mkdirSync(dirname(folder.sandboxRecord('servant_1')));
  writeFileSync(folder.sandboxRecord('servant_1'), JSON.stringify(attempt));
  const { code, stdout } = await callElders(['down', '--force', '--json'], { cwd: folder.project });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout).orphans.sort(), ['servant_1', 'servant_1 (sandbox)']);
  assert.equal(isSameProcess(servant.identity), false);
  assert.equal(isSameProcess(sandbox.identity), false);
});

test('a second manager says who the first is, in the foreground and in the background', async (context) => {
  const folder = treeIn(context);
  const holder = readProcessIdentity(process.pid);
  assert.ok(holder);
  const lock = ManagerLock.take(folder.managerLock, holder);
  context.after(() => lock.release());
  for (const args of [['up'], ['up', '-d'], ['up', '-d', '--wait']]) {
    const { code, stdout, stderr } = await callElders([...args, '--json'], { cwd: folder.project });
    assert.equal(code, 3, stderr);
    assert.equal(JSON.parse(stdout).error.code, 'already_running');
    assert.match(stderr, new RegExp(`pid ${process.pid} `));
  }
});

test('a taken port names who holds it, in the background too', async (context) => {
  const cwd = temporaryFolder(context);
  const { base: portBase, release } = await claimPortBase(2);
  context.after(release);
  const server = createServer().listen(portBase + 3, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  for (const args of [['up'], ['up', '-d'], ['up', '-d', '--wait']]) {
    const { code, stderr } = await callElders([...args, '--port-base', String(portBase)], { cwd });
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      new RegExp(`port_taken: .*\\n +${portBase + 3} \\(for task_sage\\) is held by .*pid ${process.pid}`),
    );
  }
  assert.deepEqual(JSON.parse((await callElders(['status', '--json'], { cwd })).stdout).state, 'stopped');
  const doctor = await callElders(['doctor', '--json'], { cwd, env: { ELDERS_PORT_BASE: String(portBase) } });
  assert.equal(doctor.code, 1);
  const ports = JSON.parse(doctor.stdout).checks.find((check: { name: string }) => check.name === 'ports');
  assert.equal(ports.state, 'fail');
  assert.match(ports.detail, new RegExp(`pid ${process.pid}`));
});

test('doctor tells a state folder that others may enter', async (context) => {
  const cwd = temporaryFolder(context);
  mkdirSync(join(cwd, '.elders', 'secret'), { recursive: true, mode: 0o755 });
  const { stdout } = await callElders(['doctor', '--json'], { cwd });
  const folder = JSON.parse(stdout).checks.find((check: { name: string }) => check.name === 'folder');
  assert.equal(folder.state, 'fail');
  assert.match(folder.next, /chmod/);
});

for (const [version, state] of [
  ['2.37.9', 'warn'],
  ['2.38.0', 'ok'],
  ['3.0.1.windows.1', 'ok'],
] as const) {
  test(`doctor finds Git ${version} ${state === 'ok' ? 'new enough' : 'too old for worktrees'}`, async (context) => {
    const cwd = temporaryFolder(context);
    writeFileSync(join(cwd, 'git'), `#!/bin/sh\necho git version ${version}\n`, { mode: 0o755 });
    const { stdout } = await callElders(['doctor', '--json'], {
      cwd,
      env: { PATH: `${cwd}:${process.env.PATH}` },
    });
    const git = JSON.parse(stdout).checks.find((check: { name: string }) => check.name === 'git');
    assert.equal(git.state, state, git.detail);
    assert.match(git.detail, new RegExp(version.replaceAll('.', '\\.')));
  });
}
