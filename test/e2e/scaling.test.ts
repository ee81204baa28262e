import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AuditRecord } from '../../src/protocol/audit.ts';
import { treeKeys } from '../../src/protocol/keys.ts';
import { isServant } from '../../src/protocol/roster.ts';
import type { ScaleState } from '../../src/protocol/scaling.ts';
import { appears } from '../support/appears.ts';
import { evidence, witnessedCommand } from '../support/attempt-log.ts';
import { endProcess } from '../support/end-process.ts';
import { TestTree } from '../support/tree.ts';
import { adminOf } from '../support/tree-admin.ts';

let tree: TestTree;

before(async () => {
  tree = await TestTree.create({
    config: { scaling: { max: 4, groups: { gpu: { max: 1 } } }, supervision: { shutdown: '3s' } },
  });
  await tree.up();
});
after(() => tree.dispose());

async function servants(): Promise<Record<string, number | null>> {
  const { elders } = await tree.status();
  const found = elders.filter(({ name }) => isServant(name));
  return Object.fromEntries(found.map(({ name, pid }) => [name, pid]));
}

/** A workspace whose tasks run until the file `go` is there; each notes that it runs in a file of its name. */
async function heldTasks(name: string, ids: readonly string[]) {
  const workspace = join(tree.folder, name);
  await mkdir(workspace);
  const run =
    'echo run >> "$ELDERS_TASK_ID"; until [ -e go ]; do sleep 0.05; done; echo done >> "$ELDERS_TASK_ID"';
  const id = await tree.submit({ directive: name, workspace, tasks: ids.map((id) => ({ id, run })) });
  return {
    runs: () => Promise.all(ids.map((each) => appears(join(workspace, each)))),
    async release() {
      await writeFile(join(workspace, 'go'), '');
      const view = await tree.waitFor(id);
      assert.deepEqual(
        view.tasks.map(({ state, attempts }) => [state, attempts]),
        ids.map(() => ['succeeded', 1]),
      );
      // Run once each, and to the end.
      for (const each of ids) assert.equal(await readFile(join(workspace, each), 'utf8'), 'run\ndone\n');
    },
  };
}

test('2 → 4 → 1 under load: no task runs twice, none is cut off, and of the servants nothing is left', async () => {
  const workspace = join(tree.folder, 'load');
  await mkdir(workspace);
  const tasks = Array.from({ length: 24 }, (_, index) => ({ id: `t${index}`, run: witnessedCommand(0.2) }));
  const id = await tree.submit({ directive: 'Load', workspace, tasks });
  const grown = await tree.json<ScaleState>(['scale', 'servant=4']);
  assert.deepEqual(
    grown.pools.map(({ pool, count, ready, automatic }) => [pool, count, ready, automatic]),
    [
      ['servant', 4, 4, false],
      ['gpu', 0, 0, false],
    ],
  );
  const { code, stderr } = await tree.cli(['scale', 'servant=1']);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /servant_4 gets no more tasks, finishes what it has and goes\./);
  assert.deepEqual(Object.keys(await servants()), ['servant_1']);
  const view = await tree.waitFor(id);
  for (const { state, attempts } of view.tasks) assert.deepEqual([state, attempts], ['succeeded', 1]);
  const { starts, overlaps } = await evidence(workspace);
  assert.equal(starts.length, tasks.length);
  assert.deepEqual(overlaps, []);
  assert.ok(view.tasks.some(({ servant }) => servant !== 'servant_1'));
  const admin = await adminOf(tree.folder, tree.portBase);
  try {
    const { tree: name } = await tree.status();
    const keys = await admin.command(['HKEYS', treeKeys(name).registry]);
    const users = await admin.users.principalsWithUsers();
    for (const found of [keys as string[], users]) assert.deepEqual(found.filter(isServant), ['servant_1']);
  } finally {
    admin.close();
  }
  let scaled: AuditRecord[] = [];
  // The log is written a little after what it tells of.
  while (scaled.length < 2) {
    const { records } = await tree.json<{ records: AuditRecord[] }>(['audit', 'list']);
    scaled = records.filter(({ event }) => event === 'scaled');
  }
  assert.deepEqual(
    scaled.map(({ subject, detail }) => [subject, detail]),
    [
      ['human', { from: 2, to: 4 }],
      ['human', { from: 4, to: 1 }],
    ],
  );
});

test('a servant that is drained finishes its task, however many managers die meanwhile; wanted back, it stays', async () => {
  await tree.json(['scale', 'servant=3']);
  const before = await servants();
  const held = await heldTasks('held', ['a', 'b', 'c']);
  await held.runs();
  await tree.json(['scale', 'servant=1', '-d']);
  const draining = await tree.ready();
  assert.equal(draining.elders.find(({ name }) => name === 'servant_3')?.state, 'draining');
  await tree.killManager();
  await tree.up();
  const { pools } = await tree.json<ScaleState>(['scale']);
  assert.deepEqual([pools[0]?.count, pools[0]?.draining], [1, ['servant_2', 'servant_3']]);
  await tree.json(['scale', 'servant=2', '-d']);
  assert.deepEqual(await servants(), before, 'the same processes');
  await held.release();
  // Asked for once more, it waits until that has come about.
  await tree.json(['scale', 'servant=2']);
  const { servant_3: _, ...left } = before;
  assert.deepEqual(await servants(), left);
});

test('kill -9 of the manager while servants are added: the next manager adds them', async () => {
  const { manager } = await tree.status();
  const order = tree.cli(['scale', 'servant=4']);
  await appears(join(tree.folder, '.elders', 'run', 'servant_4.process.json'));
  await endProcess(manager?.pid ?? assert.fail());
  await order;
  await tree.up();
  assert.deepEqual(Object.keys(await servants()), ['servant_1', 'servant_2', 'servant_3', 'servant_4']);
  const held = await heldTasks('four', ['a', 'b', 'c', 'd']);
  await held.runs();
  await held.release();
  await tree.json(['scale', 'servant=1']);
});

test('servants of a group take the tasks that ask for them, and nobody else does', async () => {
  const workspace = join(tree.folder, 'gpu');
  await mkdir(workspace);
  const id = await tree.submit({
    directive: 'Labels',
    workspace,
    tasks: [
      { id: 'plain', run: 'true' },
      { id: 'asks', run: 'true', labels: ['gpu'] },
    ],
  });
  await tree.cli(['directive', 'show', id]);
  await tree.json(['scale', 'gpu=1']);
  const view = await tree.waitFor(id);
  assert.equal(view.tasks.find((task) => task.id === 'asks')?.servant, 'servant_501');
  await tree.json(['scale', 'gpu=0']);
  assert.deepEqual(Object.keys(await servants()), ['servant_1']);
});

test('what cannot be is refused, and nothing has changed', async () => {
  const refusal = async (...args: string[]) => {
    const { code, stdout } = await tree.cli(['scale', ...args, '--json']);
    return [code, (JSON.parse(stdout) as { error: { code: string } }).error.code];
  };
  assert.deepEqual(await refusal('servant=5'), [2, 'usage']);
  assert.deepEqual(await refusal('servant=0'), [2, 'usage']);
  assert.deepEqual(await refusal('servant=2', 'gqu=1'), [1, 'not_found']);
  assert.deepEqual(await refusal('servant=auto'), [1, 'conflict']);
  assert.deepEqual(Object.keys(await servants()), ['servant_1']);
});

test('reload puts another number in force, and down forgets what was asked for', async () => {
  const file = join(tree.folder, 'elders.yaml');
  const config = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...config, servants: 3 }));
  assert.deepEqual(await tree.json(['reload']), { changed: ['servants'] });
  assert.deepEqual(Object.keys(await servants()), ['servant_1', 'servant_2', 'servant_3']);
  await tree.json(['scale', 'servant=1']);
  await tree.cli(['down']);
  await tree.up();
  assert.deepEqual(Object.keys(await servants()), ['servant_1', 'servant_2', 'servant_3']);
});

test('reload lets there be more servants and a new group while work goes on, and refuses to let there be fewer', async () => {
  const file = join(tree.folder, 'elders.yaml');
  const config = JSON.parse(await readFile(file, 'utf8'));
  const { scaling } = config;
  const pids = async () => new Map((await tree.status()).elders.map(({ name, pid }) => [name, pid]));
  const held = await heldTasks('meanwhile', ['a', 'b']);
  await held.runs();
  const before = await pids();
  const groups = { ...scaling.groups, big: { min: 1, max: 1 } };
  await writeFile(file, JSON.stringify({ ...config, scaling: { ...scaling, max: 5, groups } }));
  assert.deepEqual(await tree.json(['reload']), { changed: ['scaling'] });
  const after = await pids();
  const replaced = [...before.keys()].filter((name) => after.get(name) !== before.get(name));
  assert.deepEqual(replaced, ['grand_elder', 'task_sage']);
  await held.release();
  await tree.json(['scale', 'servant=5']);
  const workspace = join(tree.folder, 'big');
  await mkdir(workspace);
  const tasks = [{ id: 'asks', run: 'true', labels: ['big'] }];
  const view = await tree.waitFor(await tree.submit({ directive: 'Big', workspace, tasks }));
  assert.equal(view.tasks[0]?.servant, 'servant_502');
  const { told } = await tree.json<{ told: string[] }>(['emergency', 'halt']);
  assert.ok(told.includes('servant_5') && told.includes('servant_502'), String(told));
  await tree.json(['emergency', 'resume']);
  const { records } = await tree.json<{ records: AuditRecord[] }>(['audit', 'list', '--kind', 'denial']);
  assert.deepEqual(
    records.filter(({ by }) => by === 'manager').map(({ event, reason }) => [event, reason]),
    [],
  );
  await writeFile(file, JSON.stringify(config));
  const { code, stdout } = await tree.cli(['reload', '--json']);
  assert.equal(code, 1);
  assert.match(stdout, /"conflict",[\s\S]*servant: 5 → 4, big: 1 → none/);
  assert.equal((await tree.json<ScaleState>(['scale'])).pools[0]?.max, 5);
});
