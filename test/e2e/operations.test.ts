import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { processesTouching } from '../../scripts/processes-touching.ts';
import { GatewayClient } from '../../src/cli/connection/gateway-client.ts';
import type { TreeRates } from '../../src/cli/tree/usage-rates.ts';
import type { DirectiveView } from '../../src/protocol/directive.ts';
import type { ElderDescription } from '../../src/protocol/operations.ts';
import { roster } from '../../src/protocol/roster.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { readProcessIdentity, waitUntilGone } from '../../src/telemetry/process-identity.ts';
import { TestTree } from '../support/tree.ts';

const names = roster(2).map(({ name }) => name);
const orphanTimeout = '12s';
/** How a terminal begins anew. */
const clear = '\u001b[H\u001b[2J\u001b[3J';
let tree: TestTree;
let workspace: string;
let config: Record<string, unknown>;

before(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'elders-work-'));
  const supervision = { probeInterval: '500ms', orphanTimeout };
  tree = await TestTree.create({ config: { sandbox: 'none', isolation: 'none', supervision } });
  config = JSON.parse(await readFile(join(tree.folder, 'elders.yaml'), 'utf8'));
  await tree.up();
});
after(async () => {
  await tree.dispose();
  await rm(workspace, { recursive: true, force: true });
});

async function configure(change: object): Promise<void> {
  config = { ...config, ...change };
  await writeFile(join(tree.folder, 'elders.yaml'), JSON.stringify(config));
}

async function pids(): Promise<Record<string, number | null>> {
  const { elders } = await tree.status();
  return Object.fromEntries(elders.map(({ name, pid }) => [name, pid]));
}

/** Asks one elder after the other until the signal aborts; gives how many answers came. An ask that fails rejects. */
async function ask(targets: readonly string[], ending: AbortSignal): Promise<number> {
  const client = new GatewayClient({
    folder: stateFolder(tree.folder),
    signal: new AbortController().signal,
  });
  let answers = 0;
  while (!ending.aborted) {
    const target = targets[answers % targets.length] as string;
    await client.ask(target, 'elder.ping', {}, { timeoutMs: 60_000 });
    answers += 1;
  }
  return answers;
}

test('a rolling restart of all under load fails no message and no task', async () => {
  const before = await pids();
  const tasks = Array.from({ length: 60 }, (_, index) => ({
    id: `t${index}`,
    run: 'sleep 0.2',
    ...(index % 6 === 0 ? {} : { needs: [`t${index - 1}`] }),
  }));
  const id = await tree.submit({ directive: 'Roll', goal: 'nothing fails', workspace, tasks });
  const done = new AbortController();
  const asking = [
    ask(['grand_elder', 'task_sage'], done.signal),
    ask(['knowledge_sage', 'incident_sage', 'rag_sage'], done.signal),
  ];
  const { code, stdout, stderr } = await tree.cli(['restart', '--all', '--json']);
  done.abort();
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { restarted: 'all' });
  for (const answers of await Promise.all(asking)) assert.ok(answers > 0);
  const view: DirectiveView = await tree.waitFor(id);
  assert.equal(view.state, 'completed');
  for (const { id: task, state, attempts } of view.tasks)
    assert.deepEqual([task, state, attempts], [task, 'succeeded', 1]);
  const now = await pids();
  assert.deepEqual(
    names.filter((name) => now[name] === before[name]),
    [],
  );
  const { elders } = await tree.ready();
  assert.deepEqual(
    elders.map(({ restarts }) => restarts),
    names.map(() => 0),
  );
  assert.equal((await tree.json<{ total: number }>(['dlq', 'list'])).total, 0);
});

test('describe and top tell of a process', async () => {
  const described = await tree.json<ElderDescription>(['describe', 'task_sage']);
  assert.equal(described.status.name, 'task_sage');
  const assignments = described.edges.find(({ target, lane }) => target === 'servant_1' && lane === 'normal');
  assert.ok((assignments?.handled ?? 0) > 0);
  assert.ok((described.certificate?.expiresAt ?? 0) > Date.now());
  const shown = await tree.cli(['describe', 'grand_elder_maru', '--lang', 'ja']);
  assert.match(shown.stdout, /^grand_elder\n状態 +ready\n/);
  assert.equal((await tree.cli(['describe', 'nobody'])).code, 1);
  const top = await tree.cli(['top', '--json', '--count', '2', '--interval', '200ms']);
  const lines = top.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TreeRates);
  assert.equal(lines.length, 2);
  assert.deepEqual(
    lines[1]?.processes.map(({ name }) => name),
    ['manager', 'redis', ...names],
  );
  const table = await tree.cli(['top', '--interval', '200ms']);
  assert.equal(table.stdout.split('\n').filter((line) => line.startsWith('task_sage ')).length, 1);
});

const hasTerminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;

test('on a terminal top shows all anew until Ctrl-C', { skip: !hasTerminal && 'no script(1)' }, async () => {
  const elders = join(import.meta.dirname, '../../bin/elders.cjs');
  const command = `exec ${process.execPath} ${elders} top --interval 200ms --no-color`;
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { cwd: tree.folder });
  const ended = once(terminal, 'close');
  let shown = '';
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  terminal.stdout.on('data', (chunk) => {
    shown += chunk;
    // A frame is whole when the next has begun.
    if (shown.split(clear).length > 3) resolve();
  });
  await Promise.race([enough, ended]);
  terminal.stdin.write('\u0003');
  const [, first, second] = shown.split(clear);
  for (const frame of [first, second]) {
    for (const name of ['manager', 'redis', ...names])
      assert.match(frame ?? '', new RegExp(`^${name} `, 'm'));
  }
  assert.equal((await ended)[0], 0);
});

test('reload restarts only whom the change concerns; what is invalid changes nothing', async () => {
  const before = await pids();
  await configure({ strategy: { maxTasks: 2 } });
  assert.deepEqual(await tree.json(['reload']), { changed: ['strategy'] });
  const now = await pids();
  assert.deepEqual(
    names.filter((name) => now[name] !== before[name]),
    ['grand_elder', 'servant_1', 'servant_2'],
  );
  const tasks = ['a', 'b', 'c'].map((task) => ({ id: task, run: 'true' }));
  const input = JSON.stringify({ directive: 'Too many', goal: 'is refused', workspace, tasks });
  const refused = await tree.cli(['directive', 'submit', '-', '--wait', '--json'], { input });
  assert.equal(JSON.parse(refused.stdout).error.code, 'directive_rejected', refused.stdout);

  await writeFile(join(tree.folder, 'elders.yaml'), JSON.stringify({ ...config, strategy: { maxTasks: 0 } }));
  const invalid = await tree.cli(['reload', '--json']);
  assert.equal(JSON.parse(invalid.stdout).error.code, 'config_invalid');
  await writeFile(join(tree.folder, 'elders.yaml'), JSON.stringify({ ...config, appendfsync: 'everysec' }));
  const fixed = await tree.cli(['reload', '--json']);
  assert.equal(JSON.parse(fixed.stdout).error.code, 'conflict');
  await configure({});
  assert.deepEqual(await tree.json(['reload']), { changed: [] });
  assert.deepEqual(await pids(), now);
});

test('without a manager the elders serve on, and when none comes they end by themselves', async () => {
  const { manager, elders, redis } = await tree.status();
  const identities = elders.map(({ pid }) => readProcessIdentity(pid as number) ?? assert.fail('no process'));
  const database = readProcessIdentity(redis.pid as number) ?? assert.fail('no process');
  const { pid } = manager ?? assert.fail('no manager');
  process.kill(pid, 'SIGKILL');
  const client = new GatewayClient({
    folder: stateFolder(tree.folder),
    signal: new AbortController().signal,
  });
  await client.ask('task_sage', 'elder.ping', {});
  await Promise.all(identities.map((identity) => waitUntilGone(identity, 180_000)));
  // What holds the data goes last, and keeps it for the next manager.
  await waitUntilGone(database, 180_000);
  assert.deepEqual(processesTouching(tree.folder), []);
  await tree.up();
  const after = await tree.ready();
  assert.equal(after.redis.restarts, 0);
  assert.deepEqual(
    after.elders.map(({ restarts }) => restarts),
    names.map(() => 0),
  );
});
