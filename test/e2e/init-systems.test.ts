import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { processesTouching } from '../../scripts/processes-touching.ts';
import type { TreeStatus } from '../../src/protocol/process.ts';
import { isInstalled, withoutSupervisord } from '../support/installed.ts';
import { TestTree } from '../support/tree.ts';

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'init-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Waits for a status that fits, as a user would: by asking. */
async function untilStatus(tree: TestTree, fits: (status: TreeStatus) => boolean): Promise<TreeStatus> {
  for (;;) {
    const { code, stdout } = await tree.cli(['status', '--json']);
    const status = code === 0 ? (JSON.parse(stdout) as TreeStatus) : null;
    if (status?.state === 'ready' && fits(status)) return status;
  }
}

function pids({ elders, redis }: TreeStatus): Record<string, number | null> {
  return Object.fromEntries([['redis', redis.pid], ...elders.map(({ name, pid }) => [name, pid])]);
}

/** Runs a real supervisord with nothing but the exported program. */
async function startSupervisord(context: TestContext, tree: TestTree): Promise<ChildProcess> {
  const folder = await temporaryFolder(context);
  const { path } = await tree.json<{ path: string }>(['export', 'supervisord', '--output', folder]);
  const file = join(folder, 'main');
  const own = ['nodaemon=true', 'logfile=/dev/null', 'logfile_maxbytes=0', `pidfile=${join(folder, 'pid')}`];
  await writeFile(file, ['[supervisord]', ...own, '[include]', `files=${path}`, ''].join('\n'));
  const supervisord = spawn('supervisord', ['--nodaemon', '--configuration', file], { stdio: 'ignore' });
  context.after(async () => {
    if (supervisord.exitCode !== null || supervisord.signalCode !== null) return;
    const gone = once(supervisord, 'exit');
    supervisord.kill('SIGKILL');
    await gone;
  });
  return supervisord;
}

test('supervisord runs the tree, replaces a manager that died, and stops all of it', async (context) => {
  const without = withoutSupervisord();
  if (without) return context.skip(without);
  const tree = await TestTree.create({ servants: 1 });
  context.after(() => tree.dispose());
  const supervisord = await startSupervisord(context, tree);
  const before = await untilStatus(tree, () => true);
  process.kill(before.manager?.pid as number, 'SIGKILL');
  const after = await untilStatus(tree, ({ manager }) => manager?.pid !== before.manager?.pid);
  assert.deepEqual(pids(after), pids(before), 'the next manager took over what ran');
  const gone = once(supervisord, 'exit');
  supervisord.kill('SIGTERM');
  await gone;
  assert.deepEqual(processesTouching(tree.folder), [], 'with supervisord the tree is gone');
});

/** Listens as systemd does, since Node cannot, and gives each datagram. */
const listener = `
import socket, sys
place = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
place.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(place.recv(4096).decode().replace("\\n", " "), flush=True)
`;

test('the manager tells systemd that it is ready, that it lives, and that it stops', async (context) => {
  const missing = ['python3', 'systemd-notify'].find((program) => !isInstalled(program));
  if (missing) return context.skip(`${missing} is not installed`);
  const tree = await TestTree.create({ servants: 1 });
  context.after(() => tree.dispose());
  const socket = join(await temporaryFolder(context), 'notify');
  const python = spawn('python3', ['-c', listener, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(async () => {
    const gone = once(python, 'exit');
    python.kill('SIGKILL');
    await gone;
  });
  const said = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const until = async (word: string) => {
    for (;;) {
      const { value, done } = await said.next();
      if (done) throw new Error(`${word} was not said`);
      if (value.startsWith(word)) return value;
      assert.ok(word === 'STOPPING=1' || !value.startsWith('STOPPING=1'), `${word} before the stop`);
    }
  };
  await until('listening');
  const manager = tree.start(['up'], { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1500000' });
  await until('READY=1');
  // Degraded it is only once it was ready.
  assert.ok(['ready', 'degraded'].includes((await tree.status()).state), 'it is ready when it says so');
  await until('WATCHDOG=1');
  await until('WATCHDOG=1');
  const ended = once(manager, 'exit');
  manager.kill('SIGTERM');
  await until('STOPPING=1');
  assert.deepEqual(await ended, [0, null]);
});
