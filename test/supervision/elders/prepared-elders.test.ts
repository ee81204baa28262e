import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { processRecord } from '../../../src/protocol/process.ts';
import { roster } from '../../../src/protocol/roster.ts';
import { isSameProcess, waitUntilGone } from '../../../src/telemetry/process-identity.ts';
import { appears } from '../../support/appears.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

describe('processes that were started ahead of their turn', () => {
  let tree: SupervisedTree;
  after(() => tree.remove());

  test('end by themselves when the manager dies, and what cannot is ended by the next one', async () => {
    tree = await SupervisedTree.create({ supervision: { startTimeout: '5m' } });
    // While the first of all is not ready, the others wait to be told who they are.
    await tree.tell('grand_elder', 'mute');
    const up = tree.upApart();
    up.catch(() => undefined);
    await tree.until(() =>
      tree.events.some(({ kind, name }) => kind === 'starting' && name === 'grand_elder'),
    );
    const waiting = roster(2)
      .slice(1)
      .map(({ name }) => name);
    const processes = await Promise.all(
      waiting.map(async (name) => {
        const text = await appears(join(tree.folder.run, `${name}.next.process.json`));
        return processRecord.parse(JSON.parse(text));
      }),
    );
    for (const each of processes) assert.ok(isSameProcess(each), each.name);
    const [stopped, ...free] = processes;
    assert.ok(stopped);
    process.kill(stopped.pid, 'SIGSTOP');
    await tree.killManager();
    await Promise.all(free.map((each) => waitUntilGone(each, 60_000)));
    // The control: this one has not heard of it.
    assert.ok(isSameProcess(stopped));
    await tree.untell('grand_elder', 'mute');
    await tree.up();
    assert.equal(isSameProcess(stopped), false);
    await tree.until(() => tree.status.state === 'ready');
    assert.deepEqual(
      tree.status.elders.map(({ restarts }) => restarts),
      roster(2).map(() => 0),
    );
    await tree.manager.shutdown('drain');
    assert.deepEqual(tree.processes(), []);
  });
});
