import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { finishWorktree, leaveWorktree } from '../../../../src/elders/servant/git/finish-worktree.ts';
import { cleanLeftovers, listLeftovers } from '../../../../src/elders/servant/git/leftovers.ts';
import { mergeIntoBranch } from '../../../../src/elders/servant/git/merge-branch.ts';
import { makeWorktree } from '../../../../src/elders/servant/git/worktree.ts';
import type { TaskSpec } from '../../../../src/protocol/directive.ts';

function sh(cwd: string, ...args: string[]): string {
  const env = { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

function project(t: TestContext) {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'elders-git-')));
  t.after(() => rmSync(top, { recursive: true, force: true }));
  sh(top, 'init', '-q', '-b', 'main');
  sh(top, 'config', 'user.name', 'Grace');
  sh(top, 'config', 'user.email', 'grace@example.com');
  writeFileSync(join(top, '.gitignore'), '.elders\nbuilt\n');
  writeFileSync(join(top, 'a.txt'), 'one\n');
  sh(top, 'add', '-A');
  sh(top, 'commit', '-q', '-m', 'first');
  const folder = join(top, '.elders', 'worktrees');
  const make = (
    taskId: string,
    wish: TaskSpec['git'] = { result: 'commit' },
    more: { attempt?: number; bases?: string[] } = {},
  ) =>
    makeWorktree({
      folder,
      workspace: top,
      directiveId: 'd1',
      taskId,
      attempt: 1,
      bases: [],
      wish: wish!,
      ...more,
    });
  const finish = (
    worktree: Awaited<ReturnType<typeof make>>,
    result: 'commit' | 'patch' = 'commit',
    mayMerge = true,
  ) =>
    finishWorktree(worktree, {
      message: 'did it',
      result,
      patchPath: join(top, '.elders', 'p.patch'),
      mayMerge: () => mayMerge,
    });
  const clean = { worktrees: folder, project: top, directiveId: undefined };
  return { top, folder, make, finish, clean };
}

test('what a command leaves becomes a commit of the user on the branch of the task', async (t) => {
  const { top, make, finish } = project(t);
  const worktree = await make('build');
  writeFileSync(join(worktree.tree, 'new 北.txt'), 'x\n');
  rmSync(join(worktree.tree, 'a.txt'));
  const { git, failure } = await finish(worktree);
  assert.equal(failure, undefined);
  assert.deepEqual([git.branch, git.files, git.merged, git.worktree], ['elders/d1/build', 2, null, null]);
  assert.equal(
    sh(top, 'log', '-1', '--format=%an %ae %s', 'elders/d1/build'),
    'Grace grace@example.com did it',
  );
  assert.equal(
    sh(top, '-c', 'core.quotePath=false', 'diff', '--name-status', 'main', 'elders/d1/build'),
    'D\ta.txt\nA\tnew 北.txt',
  );
  assert.equal(readFileSync(join(top, 'a.txt'), 'utf8'), 'one\n');
  assert.equal(existsSync(worktree.tree), false);
});

test('a task builds on the branches that it needs, and merges in their order', async (t) => {
  const { top, make, finish } = project(t);
  const first = await make('one');
  writeFileSync(join(first.tree, 'one.txt'), '1');
  const one = await finish(first);
  const second = await make('two');
  writeFileSync(join(second.tree, 'two.txt'), '2');
  const two = await finish(second);
  const third = await make(
    'both',
    { result: 'commit', merge: true },
    { bases: [one.git.commit!, two.git.commit!] },
  );
  assert.ok(existsSync(join(third.tree, 'one.txt')) && existsSync(join(third.tree, 'two.txt')));
  writeFileSync(join(third.tree, 'both.txt'), '3');
  const { git } = await finish(third);
  assert.equal(git.merged, 'main');
  for (const name of ['one.txt', 'two.txt', 'both.txt']) assert.ok(existsSync(join(top, name)), name);
  assert.equal(sh(top, 'status', '--porcelain'), '');
});

test('merges at the same time all arrive', async (t) => {
  const { top, make, finish } = project(t);
  const names = ['a', 'b', 'c', 'd'];
  const worktrees = [];
  for (const name of names) worktrees.push(await make(name, { result: 'commit', merge: true }));
  for (const [index, { tree }] of worktrees.entries()) writeFileSync(join(tree, `${names[index]}.new`), 'x');
  const ended = await Promise.all(worktrees.map((worktree) => finish(worktree)));
  assert.deepEqual(
    ended.map(({ failure }) => failure),
    [undefined, undefined, undefined, undefined],
  );
  for (const name of names) assert.ok(existsSync(join(top, `${name}.new`)), name);
});

test('worktrees are made while others of the repository are removed', async (t) => {
  const { make, finish } = project(t);
  const idle = async (lane: number) => {
    for (let round = 0; round < 6; round += 1) await finish(await make(`idle-${lane}-${round}`));
  };
  await Promise.all([1, 2, 3].map(idle));
});

test('a conflict names the files, changes nothing, and keeps the work on its branch', async (t) => {
  const { top, make, finish } = project(t);
  const worktree = await make('edit', { result: 'commit', merge: true });
  writeFileSync(join(worktree.tree, 'a.txt'), 'theirs\n');
  writeFileSync(join(top, 'a.txt'), 'ours\n');
  sh(top, 'commit', '-q', '-am', 'meanwhile');
  const head = sh(top, 'rev-parse', 'HEAD');
  const { git, failure } = await finish(worktree);
  assert.match(failure ?? '', /conflicts in a\.txt/);
  assert.equal(git.merged, null);
  assert.equal(sh(top, 'rev-parse', 'HEAD'), head);
  assert.equal(sh(top, 'show', 'elders/d1/edit:a.txt'), 'theirs');
  // The next attempt takes the name of the branch over, not its work.
  const again = await make('edit', { result: 'commit', merge: true }, { attempt: 2 });
  assert.equal(readFileSync(join(again.tree, 'a.txt'), 'utf8'), 'ours\n');
  assert.equal(sh(top, 'show', 'elders/d1/edit@1:a.txt'), 'theirs');
});

test('what the user has not committed is not overwritten by a merge', async (t) => {
  const { top, make, finish } = project(t);
  const worktree = await make('edit', { result: 'commit', merge: true });
  writeFileSync(join(worktree.tree, 'a.txt'), 'theirs\n');
  writeFileSync(join(top, 'a.txt'), 'mine, not committed\n');
  const { failure } = await finish(worktree);
  assert.match(failure ?? '', /a\.txt/);
  assert.equal(readFileSync(join(top, 'a.txt'), 'utf8'), 'mine, not committed\n');
});

test('an attempt that was ended does not merge', async (t) => {
  const { top, make, finish } = project(t);
  const worktree = await make('late', { result: 'commit', merge: true });
  writeFileSync(join(worktree.tree, 'late.txt'), 'x');
  const { git, failure } = await finish(worktree, 'commit', false);
  assert.deepEqual([git.merged, failure], [null, 'the attempt was ended before its merge']);
  assert.equal(existsSync(join(top, 'late.txt')), false);
  // With the guard off it would.
  const other = await make('other', { result: 'commit', merge: true });
  writeFileSync(join(other.tree, 'other.txt'), 'x');
  await finish(other);
  assert.ok(existsSync(join(top, 'other.txt')));
});

test('a servant that was stopped on the way to its merge changes no branch once another has the task', async (t) => {
  const { top, make, finish, clean } = project(t);
  for (const [guard, arrives] of [
    ['on', false],
    ['off', true],
  ] as const) {
    const taskId = `task-${guard}`;
    const wish = { result: 'commit', merge: true } as const;
    const stopped = await make(taskId, wish);
    writeFileSync(join(stopped.tree, `stale-${guard}`), 'x');
    const later = await make(taskId, wish, { attempt: 2 });
    writeFileSync(join(later.tree, `later-${guard}`), 'x');
    // It believes that it may merge: nothing has told it otherwise. Its branch has the same start as the later one's.
    const woken = guard === 'on' ? stopped : { ...stopped, fence: later.fence };
    const late = await finish(woken).then(
      ({ failure }) => failure ?? 'merged',
      (error: Error) => error.message,
    );
    assert.match(late, arrives ? /^merged$/ : /^fenced: /);
    assert.equal(existsSync(join(top, `stale-${guard}`)), arrives);
    if (arrives) continue;
    assert.ok(existsSync(join(stopped.tree, 'stale-on')), 'its work stays where it is');
    assert.equal((await finish(later)).git.merged, 'main');
    assert.ok(existsSync(join(top, 'later-on')));
    await assert.rejects(make(taskId, wish, { attempt: 1 }), /EEXIST|fenced/);
  }
  await cleanLeftovers({ ...clean, isBusy: () => false });
  assert.equal(sh(top, 'for-each-ref', 'refs/elders-fences'), '');
});

test('a merge that waits for the branch is given up once a later attempt has begun', async (t) => {
  const { top, make } = project(t);
  const stopped = await make('late', { result: 'commit', merge: true });
  const commit = sh(top, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'empty');
  const repository = stopped.repository;
  // Held as by somebody who is just moving the branch, so that the merge comes as far as the fence and no further.
  writeFileSync(join(top, '.git', 'refs', 'heads', 'main.lock'), '');
  const merging = assert.rejects(
    mergeIntoBranch(repository, {
      branch: 'main',
      commit,
      base: stopped.base,
      fence: stopped.fence,
      message: 'Merge',
    }),
    /fenced/,
  );
  await make('late', { result: 'commit', merge: true }, { attempt: 2 });
  rmSync(join(top, '.git', 'refs', 'heads', 'main.lock'));
  await merging;
  assert.equal(sh(top, 'rev-parse', 'main'), stopped.base);
  assert.equal(sh(top, 'status', '--porcelain'), '');
});

test('a patch holds the work, applies, and leaves no branch', async (t) => {
  const { top, make, finish } = project(t);
  const worktree = await make('p', { result: 'patch' });
  writeFileSync(join(worktree.tree, 'a.txt'), Buffer.from([0, 1, 255, 10]));
  const { git } = await finish(worktree, 'patch');
  assert.deepEqual([git.commit, git.branch, git.worktree], [null, null, null]);
  sh(top, 'apply', git.patch!);
  assert.deepEqual(readFileSync(join(top, 'a.txt')), Buffer.from([0, 1, 255, 10]));
  assert.equal(sh(top, 'branch', '--list', 'elders/*'), '');
});

test('nothing is left of an attempt that changed nothing', async (t) => {
  const { top, make, finish, clean } = project(t);
  await finish(await make('idle'));
  await leaveWorktree(await make('idle', { result: 'commit' }, { attempt: 2 }));
  assert.deepEqual(await listLeftovers(clean), []);
  assert.equal(sh(top, 'branch', '--list', 'elders/*'), '');
});

test('uncommitted work outlives failure, the death of its servant, the next attempt and cleaning', async (t) => {
  const { top, make, clean } = project(t);
  const failed = await make('work');
  writeFileSync(join(failed.tree, 'precious.txt'), 'failed');
  const left = await leaveWorktree(failed);
  assert.equal(left.worktree, failed.tree);
  // Its servant dies: nobody calls anything.
  const killed = await make('work', { result: 'commit' }, { attempt: 2 });
  writeFileSync(join(killed.tree, 'precious.txt'), 'killed');
  await make('work', { result: 'commit' }, { attempt: 3 });
  assert.equal(readFileSync(join(failed.tree, 'precious.txt'), 'utf8'), 'failed');
  assert.equal(readFileSync(join(killed.tree, 'precious.txt'), 'utf8'), 'killed');
  const listed = await listLeftovers(clean);
  assert.deepEqual(
    listed.flatMap((one) => (one.kind === 'worktree' ? [[one.attempt, one.uncommitted]] : [])),
    [
      [1, 1],
      [2, 1],
      [3, 0],
    ],
  );
  const busy = await cleanLeftovers({ ...clean, isBusy: () => true });
  assert.ok(busy.every((one) => one.kind === 'branch' || one.done === 'kept'));
  assert.ok(existsSync(killed.tree));
  const cleaned = await cleanLeftovers({ ...clean, isBusy: () => false });
  assert.deepEqual(
    cleaned.flatMap((one) => (one.kind === 'worktree' ? [one.done] : [])),
    ['committed and removed', 'committed and removed', 'removed'],
  );
  // All of it is on a branch now, and a second cleaning leaves it there.
  await cleanLeftovers({ ...clean, isBusy: () => false });
  assert.equal(sh(top, 'show', 'elders/d1/work@1:precious.txt'), 'failed');
  assert.equal(sh(top, 'show', 'elders/d1/work@2:precious.txt'), 'killed');
  assert.deepEqual(
    (await listLeftovers(clean)).map(({ kind }) => kind),
    ['branch', 'branch'],
  );
});

test('a merged branch is cleaned, an unmerged one is not', async (t) => {
  const { top, make, finish, clean } = project(t);
  for (const [name, wish] of [
    ['in', { result: 'commit', merge: true }],
    ['out', { result: 'commit' }],
  ] as const) {
    const worktree = await make(name, wish);
    writeFileSync(join(worktree.tree, name), 'x');
    await finish(worktree);
  }
  await cleanLeftovers({ ...clean, isBusy: () => false });
  assert.equal(sh(top, 'branch', '--list', 'elders/*', '--format=%(refname:short)'), 'elders/d1/out');
});

test('without what keeps unmerged and uncommitted work it would be gone, and that is seen', async (t) => {
  const { top, make, finish } = project(t);
  const done = await make('out');
  writeFileSync(join(done.tree, 'precious.txt'), 'unmerged');
  await finish(done);
  const open = await make('open');
  writeFileSync(join(open.tree, 'precious.txt'), 'uncommitted');
  const isThere = () => [
    sh(top, 'branch', '--list', 'elders/d1/out') !== '',
    existsSync(join(open.tree, 'precious.txt')),
  ];
  assert.equal((await leaveWorktree(open)).worktree, open.tree);
  assert.deepEqual(isThere(), [true, true]);
  // As cleaning removes a merged branch, and an empty worktree, with no look at what is in them.
  sh(top, 'update-ref', '-d', 'refs/heads/elders/d1/out');
  sh(top, 'worktree', 'remove', '--force', open.tree);
  assert.deepEqual(isThere(), [false, false]);
});

test('no program that the repository or a nested one names is run', async (t) => {
  const { top, make, finish } = project(t);
  const evil = join(top, '.git', 'evil.sh');
  const proof = join(top, '.git', 'proof');
  writeFileSync(evil, `#!/bin/sh\ntouch ${proof}\ncat\n`, { mode: 0o755 });
  for (const [key, value] of [
    ['filter.evil.clean', evil],
    ['filter.evil.smudge', evil],
    ['merge.evil.driver', evil],
    ['diff.evil.textconv', evil],
    ['core.fsmonitor', evil],
  ] as const)
    sh(top, 'config', key, value);
  mkdirSync(join(top, '.git', 'hooks'), { recursive: true });
  for (const hook of ['post-checkout', 'post-merge', 'reference-transaction', 'post-index-change']) {
    writeFileSync(join(top, '.git', 'hooks', hook), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
  }
  const worktree = await make('x', { result: 'commit', merge: true });
  writeFileSync(join(worktree.tree, '.gitattributes'), '* filter=evil merge=evil diff=evil\n');
  writeFileSync(join(worktree.tree, 'b.txt'), 'b\n');
  const nested = join(worktree.tree, 'nested');
  mkdirSync(nested);
  sh(nested, 'init', '-q');
  sh(nested, 'config', 'core.fsmonitor', evil);
  sh(
    nested,
    '-c',
    'user.name=x',
    '-c',
    'user.email=x',
    '-c',
    'core.fsmonitor=',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'x',
  );
  rmSync(proof, { force: true });
  const { git, failure } = await finish(worktree);
  assert.equal(failure, undefined);
  assert.equal(git.worktree, worktree.tree, 'a repository within it is nobody’s to delete');
  assert.equal(existsSync(proof), false);
  // Git as a user calls it would run one of them.
  sh(top, 'status');
  assert.ok(existsSync(proof));
});
