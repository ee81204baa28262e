import { constants, createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { GitResult } from '../../../protocol/directive.ts';
import { insistOnMove, moveBranch, releaseFence } from './attempt-fence.ts';
import { git, tryGit } from './git-command.ts';
import { mergeIntoBranch } from './merge-branch.ts';
import { commitTree, takeSnapshot } from './snapshot.ts';
import type { Worktree } from './worktree.ts';

async function writePatch({ place, base }: Worktree, tree: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.draft`;
  const how = ['--binary', '--no-ext-diff', '--no-textconv', '--no-color'];
  await git(place, ['diff', ...how, `--output=${draft}`, base, tree]);
  // On disk before the worktree goes. Node's permission model knows no `fsync`, so it is written anew as it is synced.
  const { O_WRONLY, O_CREAT, O_TRUNC, O_DSYNC } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_DSYNC, 0o600);
  await file.writeFile(createReadStream(draft)).finally(() => file.close());
  await rm(draft);
}

/** Removes a worktree in which nothing is that no commit has; git itself refuses where something is. */
async function removeWorktree(
  { repository, tree }: Worktree,
  how: 'kept elsewhere' | 'unless changed',
): Promise<boolean> {
  const force = how === 'kept elsewhere' ? ['--force'] : [];
  const removed = await tryGit(repository, ['worktree', 'remove', ...force, tree]);
  if (removed.code !== 0) return false;
  await rm(dirname(tree), { recursive: true, force: true });
  return true;
}

/** Deletes the branch of an attempt that added nothing to what it began from. */
async function dropBranch({ repository, branch, base, fence }: Worktree): Promise<void> {
  await moveBranch(repository, fence, { branch, from: base, reason: 'it added nothing' });
}

/** How a command that ran in a worktree ended, in the eyes of git. */
export interface WorktreeEnd {
  readonly git: GitResult;
  /** Why the task has failed although its command succeeded: files that conflict. */
  readonly failure?: string;
}

/** Leaves a worktree whose command did not succeed; what it changed stays where it is. */
export async function leaveWorktree(worktree: Worktree): Promise<GitResult> {
  const { branch, base, tree } = worktree;
  const nothing = { base, commit: null, patch: null, merged: null, files: 0 };
  const removed = await removeWorktree(worktree, 'unless changed');
  if (removed) await dropBranch(worktree);
  await releaseFence(worktree.repository, worktree.fence);
  if (removed) return { ...nothing, branch: null, worktree: null };
  return { ...nothing, branch, worktree: tree };
}

/**
 * Makes the result of a command that succeeded: a commit on the branch of the task, merged where that is wanted, or a
 * patch. Throws what git says if that is not possible; the worktree stays then.
 */
export async function finishWorktree(
  worktree: Worktree,
  options: {
    message: string;
    result: 'commit' | 'patch';
    patchPath: string;
    /** Asked right before the merge: an attempt whose lease is over changes no branch but its own. */
    mayMerge: () => boolean;
  },
): Promise<WorktreeEnd> {
  const { place, base, branch, repository, target, tree, fence } = worktree;
  const snapshot = await takeSnapshot(place, base);
  if (!snapshot.changed) return { git: await leaveWorktree(worktree) };
  const names = await git(place, ['diff', '--name-only', '-z', '--no-ext-diff', base, snapshot.tree]);
  const files = names.split('\0').length - 1;
  const common = { base, files };
  if (options.result === 'patch') {
    await writePatch(worktree, snapshot.tree, options.patchPath);
    const removed = snapshot.nested.length === 0 && (await removeWorktree(worktree, 'kept elsewhere'));
    if (removed) await dropBranch(worktree);
    await releaseFence(repository, fence);
    const left = { branch: removed ? null : branch, worktree: removed ? null : tree };
    return { git: { ...common, ...left, commit: null, merged: null, patch: options.patchPath } };
  }
  const commit = await commitTree(place, { tree: snapshot.tree, base, message: options.message });
  await insistOnMove(repository, fence, { branch, from: base, to: commit, reason: 'the result of a task' });
  const done = { ...common, branch, commit, patch: null };
  const merged = options.mayMerge()
    ? await mergeResult(worktree, commit)
    : 'the attempt was ended before its merge';
  const removed = await removeWorktree(worktree, 'unless changed');
  await releaseFence(repository, fence);
  const result = {
    ...done,
    merged: merged === undefined ? (target ?? null) : null,
    worktree: removed ? null : tree,
  };
  return { git: result, ...(merged !== undefined && { failure: merged }) };
}

/** Gives why the result could not be merged, or `undefined`. */
async function mergeResult(
  { repository, target, branch, base, fence }: Worktree,
  commit: string,
): Promise<string | undefined> {
  if (target === undefined) return undefined;
  try {
    await mergeIntoBranch(repository, {
      branch: target,
      commit,
      base,
      fence,
      message: `Merge ${branch} into ${target}`,
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
