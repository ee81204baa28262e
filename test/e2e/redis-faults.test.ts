import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TreeStatus } from '../../src/protocol/process.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { TestTree } from '../support/tree.ts';
import { adminOf } from '../support/tree-admin.ts';

const directive = (title: string) => ({ directive: title, tasks: [{ id: 'one', run: 'true' }] });

/** What people would look at again and again, until it shows what they wait for. */
async function untilStatus(tree: TestTree, holds: (status: TreeStatus) => boolean): Promise<TreeStatus> {
  for (;;) {
    const status = await tree.status();
    if (holds(status)) return status;
  }
}

describe('a real tree whose Redis misbehaves', () => {
  let tree: TestTree;
  before(async () => {
    tree = await TestTree.create({ servants: 1, config: { sandbox: 'none' } });
    await tree.up();
  });
  after(() => tree.dispose());

  const works = async (title: string) => {
    const { code, view } = await tree.submitAndWait(directive(title));
    assert.deepEqual([code, view.state], [0, 'completed']);
  };

  test('goes on with the same processes after Redis stood still', async () => {
    const { redis, elders } = await tree.status();
    process.kill(redis.pid as number, 'SIGSTOP');
    await untilStatus(tree, (status) => status.redis.state === 'unreachable');
    process.kill(redis.pid as number, 'SIGCONT');
    const after = await untilStatus(tree, ({ state }) => state === 'ready');
    assert.deepEqual(
      after.elders.map(({ pid }) => pid),
      elders.map(({ pid }) => pid),
    );
    assert.equal(after.redis.reason, null);
    await works('after a pause');
  });

  test('works again by itself after FUNCTION FLUSH', async () => {
    const admin = await adminOf(tree.folder, tree.portBase);
    await admin.command(['FUNCTION', 'FLUSH']);
    await works('without its function');
    admin.close();
  });

  test('comes back empty after FLUSHALL, and says so', async () => {
    const before = await tree.status();
    const admin = await adminOf(tree.folder, tree.portBase);
    await admin.command(['FLUSHALL']);
    admin.close();
    const after = await untilStatus(
      tree,
      ({ state, redis, elders }) =>
        state === 'ready' &&
        redis.reason !== null &&
        elders.every(({ name, pid }) => before.elders.find((elder) => elder.name === name)?.pid !== pid),
    );
    assert.match(after.redis.reason ?? '', /lost data: /);
    await works('after a flush');
    const { stdout } = await tree.cli(['status']);
    assert.match(stdout, /lost data: /);
  });

  test('has left no unhandled rejection and no uncaught exception in any process', async () => {
    const { root } = stateFolder(tree.folder);
    const folder = join(root, 'log');
    const files = await readdir(folder, { recursive: true });
    assert.ok(
      files.some((file) => file.endsWith('grand_elder.log')),
      files.join(' '),
    );
    for (const file of files.filter((name) => /\.(log|out)$/.test(name))) {
      const text = await readFile(join(folder, file), 'utf8');
      assert.doesNotMatch(text, /unhandled rejection|uncaught exception|UnhandledPromise/i, file);
    }
  });
});
