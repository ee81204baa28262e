import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { processesTouching } from '../../scripts/processes-touching.ts';
import type { TreeStatus } from '../../src/protocol/process.ts';
import { isSameProcess, readProcessIdentity } from '../../src/telemetry/process-identity.ts';
import { appears } from '../support/appears.ts';
import { TestTree } from '../support/tree.ts';

const trees: TestTree[] = [];
async function newTree(options: Parameters<typeof TestTree.create>[0] = {}): Promise<TestTree> {
  const tree = await TestTree.create(options);
  trees.push(tree);
  return tree;
}
after(async () => {
  for (const tree of trees) await tree.dispose();
});

/** Resolves once the process prints something that matches from now on. */
function printed(child: ChildProcess, pattern: RegExp): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = '';
  const onData = (chunk: Buffer) => {
    text += chunk;
    if (pattern.test(text)) resolve();
  };
  const onClose = () => reject(new Error(`ended without ${pattern}: ${text}`));
  child.stderr?.on('data', onData);
  child.once('close', onClose);
  return promise.finally(() => {
    child.stderr?.off('data', onData).resume();
    child.off('close', onClose);
  });
}

test('before up: everything that needs the tree says so with exit code 3', async () => {
  const tree = await newTree();
  for (const args of [
    ['status'],
    ['directive', 'list'],
    ['ask', 'knowledge', 'x'],
    ['trace', 'x'],
    ['msg', 'show', 'x'],
  ]) {
    const { code } = await tree.cli(args);
    assert.equal(code, 3, args.join(' '));
  }
  const status = await tree.status();
  assert.equal(status.state, 'stopped');
  assert.equal((await tree.cli(['down'])).code === null, false);
});

test('up in the foreground: the first Ctrl-C drains, and nothing is left', async () => {
  const tree = await newTree();
  const up = tree.start(['up']);
  await printed(up, /The tree is ready/);
  const { elders, redis } = await tree.status();
  const identities = [...elders.map((elder) => elder.pid), redis.pid].map((pid) =>
    readProcessIdentity(pid as number),
  );
  up.kill('SIGINT');
  const [code] = await once(up, 'close');
  assert.ok(code === 0 || code === 130, `exit ${code}`);
  for (const identity of identities) assert.equal(identity !== undefined && isSameProcess(identity), false);
  assert.deepEqual(processesTouching(tree.folder), []);
  assert.deepEqual(
    (await readdir(join(tree.folder, '.elders'), { recursive: true })).filter((name) =>
      name.endsWith('.sock'),
    ),
    [],
  );
});

test('the second Ctrl-C kills what the first one waits for', async () => {
  const tree = await newTree({ config: { supervision: { shutdown: '5m' } } });
  const up = tree.start(['up']);
  await printed(up, /The tree is ready/);
  await tree.submit({
    directive: 'Long',
    workspace: tree.folder,
    tasks: [{ id: 'long', run: 'echo yes > begun; sleep 600' }],
  });
  await appears(join(tree.folder, 'begun'));
  const draining = printed(up, /stopping servant_/);
  up.kill('SIGINT');
  await draining;
  up.kill('SIGINT');
  await once(up, 'close');
  assert.deepEqual(processesTouching(tree.folder), []);
});

test('two trees run beside each other and know nothing of one another', async () => {
  const [one, two] = await Promise.all([newTree({ servants: 1 }), newTree({ servants: 1 })]);
  await Promise.all([one.up(), two.up()]);
  const [left, right] = [await one.ready(), await two.ready()];
  assert.notEqual(left.tree, right.tree);
  const second = await one.cli(['up', '-d', '--wait']);
  assert.equal(second.code, 3);
  assert.match(second.stderr, new RegExp(String(left.manager?.pid)));
  await one.cli(['down']);
  await two.ready();
});

test('a taken port is named together with who holds it', async () => {
  const tree = await newTree();
  const server = createServer();
  server.listen(tree.portBase + 3, '127.0.0.1');
  await once(server, 'listening');
  const { code, stderr } = await tree.cli(['up', '-d', '--wait']);
  server.close();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`${tree.portBase + 3}`));
  assert.match(stderr, new RegExp(`pid ${process.pid}`));
  assert.deepEqual(processesTouching(tree.folder), []);
});

test('after the manager dies, status says so and names who goes on; the next up adopts them', async () => {
  const tree = await newTree({ servants: 1 });
  await tree.up();
  const before = await tree.status();
  await tree.killManager();
  const orphaned = await tree.cli(['status', '--json']);
  assert.equal(orphaned.code, 3);
  const alone = JSON.parse(orphaned.stdout) as TreeStatus;
  assert.equal(alone.manager, null);
  assert.deepEqual(
    alone.elders.map((elder) => elder.pid),
    before.elders.map((elder) => elder.pid),
  );
  const { view } = await tree.submitAndWait({
    directive: 'Alone',
    workspace: tree.folder,
    tasks: [{ id: 'a', run: 'true' }],
  });
  assert.equal(view.state, 'completed', 'the elders serve without a manager');
  await tree.up();
  const adopted = await tree.status();
  assert.deepEqual(
    adopted.elders.map((elder) => elder.pid),
    before.elders.map((elder) => elder.pid),
  );
});

test('logs are JSON lines of their own process and can be followed', async () => {
  const tree = await newTree({ servants: 1 });
  await tree.up();
  const text = await readFile(join(tree.folder, '.elders/log/task_sage/task_sage.log'), 'utf8');
  for (const line of text.trim().split('\n')) assert.equal(JSON.parse(line).name, 'task_sage');
  const shown = await tree.cli(['logs', 'task_sage', '-n', '5']);
  assert.match(shown.stdout, /ready/);
  const follow = tree.start(['logs', 'servant_1', '-f']);
  const seen = (async () => {
    let output = '';
    for await (const chunk of follow.stdout as AsyncIterable<Buffer>) {
      output += chunk;
      if (output.includes('draining')) return;
    }
  })();
  await tree.cli(['down']);
  await seen;
  follow.kill('SIGINT');
});
