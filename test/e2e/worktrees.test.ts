import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ReplyOf } from '../../src/protocol/actions.ts';
import { TestTree } from '../support/tree.ts';

let tree: TestTree;
let workspace: string;

const sh = (...args: string[]) => execFileSync('git', args, { cwd: workspace, encoding: 'utf8' }).trim();
const show = (name: string) => tree.json<ReplyOf<'sage.task.show'>>(['task', 'show', name]);

/** Resolves when a file exists somewhere below the folder of worktrees. */
async function appears(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => existsSync(path) && resolve();
  const watcher = watch(join(tree.folder, '.elders', 'worktrees'), { recursive: true }, look);
  look();
  await promise;
  watcher.close();
}

before(async () => {
  tree = await TestTree.create();
  ({ workspace } = tree);
  sh('init', '-q', '-b', 'main');
  await writeFile(join(workspace, 'a.txt'), 'one\n');
  sh('add', '-A');
  sh('-c', 'user.name=u', '-c', 'user.email=u@x', 'commit', '-q', '-m', 'first');
  await tree.up();
});
after(() => tree.dispose());

test('tasks work on branches of their own, build on each other, merge in order, and fail on conflicts', async () => {
  const { view } = await tree.submitAndWait({
    directive: 'Branches',
    workspace,
    merge: true,
    tasks: [
      {
        id: 'one',
        git: 'worktree',
        run: 'git status --porcelain; echo 1 > one; ! touch "$(git rev-parse --git-common-dir)/x"',
      },
      { id: 'two', git: 'worktree', run: 'cat one; echo 2 > two', needs: 'one', labels: 'builder' },
      { id: 'side', git: 'worktree', merge: 'release', run: 'echo 3 > side' },
      { id: 'edit', git: 'worktree', merge: false, run: 'echo edit > one', needs: 'one' },
      { id: 'clash', git: 'worktree', run: 'true', needs: ['edit', 'again'] },
      { id: 'again', git: 'worktree', run: 'echo other > one', needs: 'one', merge: false },
      { id: 'diff', git: 'patch', run: 'echo 4 > four' },
    ],
  });
  const states = Object.fromEntries(view.tasks.map(({ id, state }) => [id, state]));
  assert.deepEqual(
    states,
    {
      one: 'succeeded',
      two: 'succeeded',
      side: 'succeeded',
      edit: 'succeeded',
      again: 'succeeded',
      diff: 'succeeded',
      clash: 'failed',
    },
    JSON.stringify(view.tasks.map(({ id, reason, output }) => [id, reason, output?.tail])),
  );
  assert.match(view.tasks.find(({ id }) => id === 'clash')?.reason ?? '', /conflicts in one/);
  assert.equal(await readFile(join(workspace, 'two'), 'utf8'), '2\n');
  assert.equal(sh('show', 'release:side'), '3');
  const { git } = await show(`${view.id}/diff`);
  assert.match(await readFile(git?.patch ?? '', 'utf8'), /^diff --git a\/four b\/four\n/);
  assert.equal(sh('status', '--porcelain'), '');
  assert.equal(view.tasks.find(({ id }) => id === 'two')?.git?.merged, 'main');
});

test('a servant that is killed in the middle, and a cancelled task, leave their work where it is', async () => {
  const file = join(tree.folder, 'killed.yaml');
  await writeFile(
    file,
    [
      'directive: Killed',
      'workspace: work',
      'tasks:',
      '  - { id: t, git: worktree, artifacts: kept.*, run: "echo k > kept.txt; echo \'1/2 half\' >> $ELDERS_PROGRESS; echo precious > part; mv part work$ELDERS_ATTEMPT; sleep 600" }',
    ].join('\n'),
  );
  const { id } = await tree.json<{ id: string }>(['directive', 'submit', file]);
  const place = (attempt: number) =>
    join(tree.folder, '.elders', 'worktrees', id, `t@${attempt}`, 'tree', `work${attempt}`);
  await appears(place(1));
  const { servant } = await show(`${id}/t`);
  const { elders } = await tree.status();
  process.kill(elders.find(({ name }) => name === servant)!.pid!, 'SIGKILL');
  await appears(place(2));
  await tree.json(['task', 'cancel', `${id}/t`]);
  await tree.cli(['directive', 'show', id, '--wait']);
  assert.equal(await readFile(place(1), 'utf8'), 'precious\n');
  assert.equal(await readFile(place(2), 'utf8'), 'precious\n');
  const task = await show(`${id}/t`);
  assert.deepEqual(
    task.history.map(({ outcome }) => outcome),
    ['lost', 'cancelled'],
  );
  assert.equal(task.history[1]?.artifacts?.files[0]?.path, 'kept.txt');
  const left = await tree.json<{ leftovers: { kind: string }[] }>(['task', 'clean', id]);
  assert.equal(left.leftovers.filter(({ kind }) => kind === 'worktree').length, 2);
  assert.ok(existsSync(place(1)));
  await tree.json(['task', 'clean', id, '--yes']);
  assert.ok(!existsSync(place(1)));
  assert.equal(sh('show', `elders/${id}/t:work2`), 'precious');
  assert.equal(sh('show', `elders/${id}/t@1:work1`), 'precious');
});

test('a researcher cannot write its workspace; progress, artifacts and usage are kept on a timeout too', async () => {
  const { view } = await tree.submitAndWait({
    directive: 'Kinds',
    workspace,
    tasks: [
      { id: 'read', labels: 'researcher', run: 'cat a.txt; ! touch here; echo found=it >> $ELDERS_OUTPUT' },
      {
        id: 'slow',
        timeout: '6s',
        artifacts: ['part.log', '../../*'],
        run: 'echo some > part.log; echo partial=yes >> $ELDERS_OUTPUT; echo "3/10 steps" >> $ELDERS_PROGRESS; echo printed; sleep 600',
      },
    ],
  });
  const [read, slow] = ['read', 'slow'].map((name) => view.tasks.find(({ id }) => id === name));
  assert.deepEqual([read?.state, read?.outputs], ['succeeded', { found: 'it' }], read?.output?.tail ?? '');
  assert.deepEqual(
    [slow?.state, slow?.outputs, slow?.output?.tail],
    ['failed', { partial: 'yes' }, 'printed\n'],
  );
  assert.deepEqual([slow?.progress?.done, slow?.progress?.total, slow?.progress?.text], [3, 10, 'steps']);
  const attempt = slow!.history[0]!;
  assert.equal(attempt.outcome, 'timed_out');
  assert.deepEqual(
    attempt.artifacts?.files.map(({ path, bytes }) => [path, bytes]),
    [['part.log', 5]],
  );
  assert.equal(await readFile(join(attempt.artifacts!.folder, 'part.log'), 'utf8'), 'some\n');
  assert.ok(attempt.usage!.memoryPeak > 0);
  const text = await tree.cli(['task', 'show', `${view.id}/slow`]);
  assert.match(text.stdout, /3\/10 steps[\s\S]*part\.log/);
});
