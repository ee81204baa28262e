import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ReplyOf } from '../../src/protocol/actions.ts';
import type { DirectiveView } from '../../src/protocol/directive.ts';
import { TestTree } from '../support/tree.ts';

const sizeMb = 4;

let tree: TestTree;
/** A workspace on a disk of its own, of a few MB. */
let small: string;
let isMounted = false;
let refusal: string | undefined;

before(async () => {
  tree = await TestTree.create({ config: { sandboxLimits: { diskReserve: '1KB' } } });
  small = join(tree.folder, 'small');
  await mkdir(small);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=1777`, 'tmpfs', small], {
    encoding: 'utf8',
  });
  isMounted = mount.status === 0;
  refusal = isMounted ? undefined : `no disk can be mounted here: ${mount.stderr || mount.error?.message}`;
  if (isMounted) await tree.up();
});
after(async () => {
  await tree.cli(['down', '--force']);
  if (isMounted) spawnSync('umount', ['-l', small]);
  await tree.dispose();
});

const statesOf = (view: DirectiveView) => Object.fromEntries(view.tasks.map(({ id, state }) => [id, state]));

test('a full disk under the workspace fails its task, with the reason, and nothing else', async (t) => {
  if (refusal !== undefined) return t.skip(refusal);
  const fill = 'head -c 50000000 /dev/zero > big; touch done';
  const tasks = [
    { id: 'fill', run: fill, retries: 1 },
    { id: 'after', run: 'true', needs: 'fill' },
    { id: 'report', run: 'echo "not empty" > log', needs: 'fill', if: 'failure()' },
  ];
  const { view } = await tree.submitAndWait({ directive: 'Full', workspace: small, tasks });
  assert.equal(view.state, 'failed');
  assert.equal(existsSync(join(small, 'done')), false);
  // What comes after it finds the disk full as well, and says so rather than that it has written.
  assert.deepEqual(statesOf(view), { fill: 'failed', after: 'skipped', report: 'failed' });
  const show = (task: string) => tree.json<ReplyOf<'sage.task.show'>>(['task', 'show', `${view.id}/${task}`]);
  const { history, reason, output } = await show('fill');
  assert.equal(history.length, 2);
  assert.match(`${reason} ${output?.tail}`, /No space left on device|left on the disk of the workspace/);
  const { bavail, bsize } = statfsSync(small);
  assert.ok(bavail * bsize < 1_000_000, 'control: the disk is full');

  const other = await tree.submitAndWait({
    directive: 'Other',
    workspace: tree.workspace,
    tasks: [{ id: 'fine', run: 'echo done > done' }],
  });
  assert.equal(other.view.state, 'completed', 'sage and servants go on');

  await rm(join(small, 'big'));
  await tree.json(['task', 'retry', `${view.id}/report`]);
  const again = await tree.waitFor(view.id);
  assert.equal(statesOf(again).report, 'succeeded', 'with room again it can be tried anew');
});
