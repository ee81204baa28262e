import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { GitResult, TaskSpec } from '../../../protocol/directive.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { type GitPlace, git, openRepository, type Repository, tryGit } from './git-command.ts';
import { commitOf, mergeCommits, mergeIntoBranch, mergeTarget } from './merge-commits.ts';
import { commitTree, takeSnapshot } from './snapshot.ts';
import { taskBranch } from './task-branch.ts';
import { worktreePlace, writeNote } from './worktree-note.ts';

/** A worktree of one attempt. */
export interface Worktree {
  /** Its folder. */
  readonly tree: string;
  /** Where in it the command begins: there where the workspace lies in its repository. */
  readonly startIn: string;
  /** What the command may read but not write: git's data, and what leads there. */
  readonly readOnly: readonly string[];
  readonly branch: string;
  readonly base: string;
  readonly place: GitPlace;
  readonly repository: Repository;
  readonly target: string | undefined;
}

/** What to make a worktree for. */
export interface WorktreeWish {
  /** Folder of all worktrees of the tree. */
  readonly folder: string;
  readonly workspace: string;
  readonly directiveId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly wish: NonNullable<TaskSpec['git']>;
  /** Commits of the tasks that this one needs. */
  readonly bases: readonly string[];
}

/** Moves what an earlier attempt left on the branch aside: nobody but a person throws it away. */
async function setAside(repository: Repository, branch: string): Promise<void> {
  if ((await commitOf(repository, `refs/heads/${branch}`)) === undefined) return;
  for (let number = 1; ; number += 1) {
    const name = `${branch}@${number}`;
    if ((await commitOf(repository, `refs/heads/${name}`)) !== undefined) continue;
    await git(repository, ['branch', '--move', branch, name]);
    return;
  }
}

/** The commit to begin from: the branch to merge into or what is checked out, with the work of the needs. */
async function startOf(
  repository: Repository,
  { bases, taskId }: WorktreeWish,
  target: string | undefined,
): Promise<string> {
  const onTarget = target === undefined ? undefined : await commitOf(repository, `refs/heads/${target}`);
  let start = onTarget ?? (await commitOf(repository, 'HEAD'));
  if (start === undefined)
    throw new ElderError('malformed', 'the repository of the workspace has no commit yet');
  for (const base of bases) {
    if ((await commitOf(repository, base)) === undefined)
      throw new ElderError('not_found', `the repository has no commit ${base}`);
    start = await mergeCommits(repository, {
      into: start,
      from: base,
      message: `Merge what ${taskId} needs`,
    });
  }
  return start;
}

const addTries = 8;

/**
 * Adds a worktree. Whoever removes the last one takes the folder of all with it, so another servant's removal can pull it
 * away under an addition; that is tried again. Throws `conflict` with what git said.
 */
async function addWorktree(
  repository: Repository,
  { branch, tree, base }: { branch: string; tree: string; base: string },
): Promise<void> {
  for (let round = 1; ; round += 1) {
    // A try that failed has made the branch already, which nobody else has.
    const make = round === 1 ? '-b' : '-B';
    const { code, stderr } = await tryGit(repository, [
      'worktree',
      'add',
      '--quiet',
      make,
      branch,
      tree,
      base,
    ]);
    if (code === 0) return;
    const mayPass =
      /could not create directory|could not lock|unable to create|No such file or directory/i.test(stderr);
    if (!mayPass || round === addTries) {
      throw new ElderError(
        'conflict',
        `git worktree: ${stderr.trim().slice(0, 1_000) || `exit code ${code}`}`,
      );
    }
    await delay(round * 20 * (0.5 + Math.random()));
  }
}

/** Makes a worktree on a branch of its own. Throws `malformed` where there is no repository, `conflict` that names files. */
export async function makeWorktree(wish: WorktreeWish): Promise<Worktree> {
  const { directiveId, taskId, attempt, workspace } = wish;
  const repository = await openRepository(workspace);
  const { merge } = wish.wish;
  const target = merge === undefined ? undefined : await mergeTarget(repository, merge);
  const base = await startOf(repository, wish, target);
  const branch = taskBranch(directiveId, taskId);
  await setAside(repository, branch);
  const { home, tree, note } = worktreePlace(wish.folder, { directiveId, taskId, attempt });
  await mkdir(dirname(home), { recursive: true, mode: 0o700 });
  await mkdir(home, { mode: 0o700 });
  const about = { directiveId, taskId, attempt, workspace, branch, base };
  await writeNote(note, { ...about, gitFolder: '' });
  await addWorktree(repository, { branch, tree, base });
  const link = await readFile(join(tree, '.git'), 'utf8');
  const gitFolder = link.replace(/^gitdir: /, '').trimEnd();
  await writeNote(note, { ...about, gitFolder });
  const place = { gitFolder, workTree: tree, ...(repository.disarmed && { disarmed: repository.disarmed }) };
  const startIn = join(tree, repository.prefix);
  await mkdir(startIn, { recursive: true });
  return {
    tree,
    startIn,
    readOnly: [repository.common, join(tree, '.git')],
    branch,
    base,
    place,
    repository,
    target,
  };
}

async function writePatch({ place, base }: Worktree, tree: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await git(place, [
    'diff',
    '--binary',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    `--output=${path}`,
    base,
    tree,
  ]);
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
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
async function dropBranch({ repository, branch, base }: Worktree): Promise<void> {
  await tryGit(repository, ['update-ref', '-d', `refs/heads/${branch}`, base]);
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
  if (await removeWorktree(worktree, 'unless changed')) {
    await dropBranch(worktree);
    return { ...nothing, branch: null, worktree: null };
  }
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
  const { place, base, branch, repository, target, tree } = worktree;
  const snapshot = await takeSnapshot(place, base);
  if (!snapshot.changed) return { git: await leaveWorktree(worktree) };
  const names = await git(place, ['diff', '--name-only', '-z', '--no-ext-diff', base, snapshot.tree]);
  const files = names.split('\0').length - 1;
  const common = { base, files };
  if (options.result === 'patch') {
    await writePatch(worktree, snapshot.tree, options.patchPath);
    const removed = snapshot.nested.length === 0 && (await removeWorktree(worktree, 'kept elsewhere'));
    if (removed) await dropBranch(worktree);
    const left = { branch: removed ? null : branch, worktree: removed ? null : tree };
    return { git: { ...common, ...left, commit: null, merged: null, patch: options.patchPath } };
  }
  const commit = await commitTree(place, { tree: snapshot.tree, base, message: options.message });
  await git(repository, ['update-ref', '-m', 'the result of a task', `refs/heads/${branch}`, commit, base]);
  const done = { ...common, branch, commit, patch: null };
  const merged = options.mayMerge()
    ? await mergeResult(worktree, commit)
    : 'the attempt was ended before its merge';
  const removed = await removeWorktree(worktree, 'unless changed');
  const result = {
    ...done,
    merged: merged === undefined ? (target ?? null) : null,
    worktree: removed ? null : tree,
  };
  return { git: result, ...(merged !== undefined && { failure: merged }) };
}

/** Gives why the result could not be merged, or `undefined`. */
async function mergeResult(
  { repository, target, branch, base }: Worktree,
  commit: string,
): Promise<string | undefined> {
  if (target === undefined) return undefined;
  try {
    await mergeIntoBranch(repository, {
      branch: target,
      commit,
      base,
      message: `Merge ${branch} into ${target}`,
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
