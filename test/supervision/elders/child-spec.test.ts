import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { roster } from '../../../src/protocol/roster.ts';
import { loadProcessRecords } from '../../../src/supervision/elders/process-records.ts';
import { loadCrashHistory } from '../../../src/supervision/restarts/crash-memory.ts';
import { appears } from '../../support/appears.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

const sages = ['knowledge_sage', 'task_sage', 'rag_sage', 'incident_sage'];
const names = roster(2).map(({ name }) => name);

describe('a tree with child specifications', () => {
  let tree: SupervisedTree;
  before(async () => {
    tree = await SupervisedTree.create({
      supervision: {
        probeInterval: '100ms',
        elders: {
          grand_elder: { memoryLimit: '250MB' },
          elder_council: { restart: 'temporary' },
          servants: { restart: 'transient' },
        },
        branches: { claude_elder: { strategy: 'rest_for_one' } },
      },
    });
    await tree.up();
  });
  after(() => tree.remove());

  async function replaced(name: string, pid: number): Promise<void> {
    await tree.until(() => tree.elder(name).state === 'ready' && tree.elder(name).pid !== pid);
  }

  test('a transient process that ends in order stays ended, one that is killed is started again', async () => {
    process.kill(tree.pid('servant_1'), 'SIGTERM');
    await tree.until(() => tree.elder('servant_1').state === 'stopped');
    assert.match(tree.elder('servant_1').reason ?? '', /code 0; it is transient/);
    assert.equal(tree.elder('servant_1').restarts, 0);
    const pid = tree.pid('servant_2');
    process.kill(pid, 'SIGKILL');
    await replaced('servant_2', pid);
    assert.equal(tree.elder('servant_2').restarts, 1);
  });

  test('a temporary process that is killed is failed and not started again', async () => {
    process.kill(tree.pid('elder_council'), 'SIGKILL');
    await tree.until(() => tree.elder('elder_council').state === 'failed');
    assert.equal(tree.status.state, 'degraded');
    assert.equal(tree.elder('elder_council').restarts, 0);
  });

  test('rest_for_one restarts with a process those that start after it, in order, and no other', async () => {
    const before = tree.pids();
    tree.events.length = 0;
    const pid = tree.pid('task_sage');
    process.kill(pid, 'SIGKILL');
    await replaced('incident_sage', before.incident_sage as number);
    const now = tree.pids();
    const changed = names.filter((name) => now[name] !== before[name]);
    assert.deepEqual(changed, ['task_sage', 'rag_sage', 'incident_sage']);
    const ready = tree.events.filter(({ kind }) => kind === 'ready').map(({ name }) => name);
    assert.deepEqual(ready, ['task_sage', 'rag_sage', 'incident_sage']);
  });

  test('a process that holds too much memory is drained and replaced, and that counts as a crash', async () => {
    const { restarts } = tree.elder('grand_elder');
    const pid = tree.pid('grand_elder');
    await tree.tell('grand_elder', 'grow');
    await tree.until(() => tree.elder('grand_elder').state === 'draining');
    await tree.untell('grand_elder', 'grow');
    await replaced('grand_elder', pid);
    assert.equal(tree.elder('grand_elder').restarts, restarts + 1);
    // Written when the successor works, a second later at most.
    let history = await loadCrashHistory(tree.folder, 'grand_elder');
    while (history.crashes.length === 0) history = await loadCrashHistory(tree.folder, 'grand_elder');
    const { crashes, errors } = history;
    assert.equal(crashes.length, 1);
    assert.equal(errors?.at(-1)?.kind, 'memory');
    assert.match(
      errors?.at(-1)?.reason ?? '',
      /holds \d+ MB of memory, more than 250 MB \(exited with code 0\)/,
    );
  });
});

describe('an elder that cannot be kept alive', () => {
  let tree: SupervisedTree;
  after(() => tree.remove());

  test('has its branch restarted, then the one above, then all; at last it stays failed and all others serve', async () => {
    tree = await SupervisedTree.create({ servants: 1, supervision: { intensity: 1 } });
    await tree.up();
    const first = tree.pids();
    await tree.tell('rag_sage', 'exit', '9');
    process.kill(tree.pid('rag_sage'), 'SIGKILL');
    const roots = () =>
      tree.events.filter(({ kind, name }) => kind === 'failed' && name === 'rag_sage').length;
    // Given up in its own branch, in the one above, in the whole tree, and for good.
    await tree.until(
      () =>
        roots() === 4 &&
        tree.status.elders.every(({ name, state }) => state === (name === 'rag_sage' ? 'failed' : 'ready')),
    );
    assert.equal(tree.status.state, 'degraded');
    for (const [branch, restarts] of [
      ['claude_elder', 1],
      ['grand_elder', 1],
      ['root', 1],
    ] as const) {
      assert.equal((await loadCrashHistory(tree.folder, `branch.${branch}`)).restarts, restarts, branch);
    }
    assert.notEqual(tree.elder('grand_elder').pid, first.grand_elder);
    const count = (name: string) => tree.elder(name).restarts;
    assert.deepEqual(
      [count('grand_elder'), count('claude_elder'), count('servant_1'), ...sages.slice(0, 2).map(count)],
      [1, 2, 2, 3, 3],
    );
  });
});

describe('crashes that an earlier manager saw', () => {
  let tree: SupervisedTree;
  after(() => tree.remove());

  test('count on under the next one', async () => {
    // Three crashes are one too many: one under the first manager, two under the second.
    tree = await SupervisedTree.create({
      servants: 1,
      supervision: { intensity: 2, period: '1h' },
    });
    await tree.upApart();
    const record = (await loadProcessRecords(tree.folder)).get('servant_1') ?? assert.fail('no record');
    process.kill(record.pid, 'SIGKILL');
    await appears(join(tree.folder.run, 'servant_1.crashes.json'));
    await tree.killManager();
    await tree.up();
    for (let crash = 0; crash < 2; crash += 1) {
      await tree.until(() => tree.elder('servant_1').state === 'ready');
      const pid = tree.pid('servant_1');
      process.kill(pid, 'SIGKILL');
      await tree.until(() => tree.elder('servant_1').pid !== pid);
    }
    await tree.until(() => tree.elder('servant_1').state === 'failed');
    assert.match(tree.elder('servant_1').reason ?? '', /crashed more than 2 times/);
  });
});
