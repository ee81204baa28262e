import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { managerRoutes } from '../../src/protocol/local-api.ts';
import { isServant } from '../../src/protocol/roster.ts';
import { appears } from '../support/appears.ts';
import { ended, realUp, submit } from '../support/real-tree.ts';
import { SupervisedTree } from '../support/supervised-tree.ts';

const waitForGo = 'echo run >> "$ELDERS_TASK_ID"; until [ -e go ]; do sleep 0.05; done';

async function treeOf(t: { after(fn: () => Promise<void>): void }, config: Record<string, unknown>) {
  const tree = await SupervisedTree.create(config);
  t.after(() => tree.remove());
  const workspace = join(tree.project, 'work');
  await mkdir(workspace);
  const servants = () => tree.status.elders.map(({ name }) => name).filter(isServant);
  const scale = async (pool: string, count: number | 'auto') => {
    const { method, path } = managerRoutes.scale;
    const answer = await tree.ask(method, path, JSON.stringify({ pools: { [pool]: count }, wait: true }));
    assert.equal(answer.status, 200, answer.body);
    assert.match(answer.body.trim().split('\n').at(-1) ?? '', /^\{"done":/);
  };
  return { tree, workspace, servants, scale };
}

test('servants come with the tasks that wait, each kind its own, and go when it is calm; a person’s word stands', async (t) => {
  const { tree, workspace, servants, scale } = await treeOf(t, {
    servants: 1,
    scaling: {
      ...{ auto: true, min: 1, max: 3, backlog: 1, wait: '200ms' },
      ...{ growCoolDown: '100ms', shrinkCoolDown: '1s' },
      groups: { gpu: { max: 1 } },
    },
  });
  await realUp(tree);
  assert.deepEqual(servants(), ['servant_1']);
  const plain = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, run: waitForGo }));
  const tasks = [...plain, { id: 'g', run: waitForGo, labels: ['gpu'] }];
  const id = await submit(tree, { directive: 'Wait', workspace, tasks });
  await tree.until(() => servants().length === 4 && tree.status.state === 'ready');
  assert.deepEqual(servants(), ['servant_1', 'servant_2', 'servant_3', 'servant_501']);
  await appears(join(workspace, 'g'));
  const [grown] = tree.events.filter(({ kind, name }) => kind === 'scaled' && name === 'servant');
  assert.equal(grown?.scale?.by, 'automatic');
  assert.match(grown?.scale?.reason ?? '', /wait for 1 servants|has waited/);
  await writeFile(join(workspace, 'go'), '');
  const view = await ended(tree, id);
  assert.deepEqual(
    view.tasks.map(({ state, attempts }) => [state, attempts]),
    tasks.map(() => ['succeeded', 1]),
  );
  assert.equal(view.tasks.find((task) => task.id === 'g')?.servant, 'servant_501');
  await tree.until(() => servants().length === 1);
  await scale('servant', 2);
  assert.equal(tree.status.pools?.[0]?.automatic, false);
  const again = await submit(tree, { directive: 'More', workspace, tasks: plain });
  await ended(tree, again);
  assert.deepEqual(servants(), ['servant_1', 'servant_2'], 'neither more nor fewer than a person said');
  await scale('servant', 'auto');
  await tree.until(() => servants().length === 1);
});

for (const guard of ['on', 'off'] as const) {
  const outcome = guard === 'on' ? 'finishes its task' : 'loses its task (the control: it is not waited for)';
  test(`a servant that goes ${outcome}`, async (t) => {
    const { tree, workspace, scale } = await treeOf(t, { servants: 2, supervision: { shutdown: '2s' } });
    await realUp(tree, guard === 'off' ? { mayEndServant: () => true } : {});
    const tasks = ['a', 'b'].map((id) => ({ id, run: waitForGo }));
    const id = await submit(tree, { directive: 'Hold', workspace, tasks });
    await Promise.all(tasks.map((task) => appears(join(workspace, task.id))));
    const scaled = scale('servant', 1);
    await tree.until(() => tree.events.some(({ kind }) => kind === 'draining'));
    if (guard === 'off') await scaled;
    await writeFile(join(workspace, 'go'), '');
    await scaled;
    const view = await ended(tree, id);
    const outcomes = view.tasks.flatMap(({ history }) => history.map((attempt) => attempt.outcome)).sort();
    assert.deepEqual(
      outcomes,
      guard === 'on' ? ['succeeded', 'succeeded'] : ['lost', 'succeeded', 'succeeded'],
    );
  });
}
