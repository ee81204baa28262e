import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TaskSpec } from '../../../protocol/directive.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { type AttemptFence, claimFence } from './attempt-fence.ts';
import { type GitPlace, git, openRepository, type Repository, tryGit } from './git-command.ts';
import { commitOf, mergeCommits, mergeTarget } from './merge-commits.ts';
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
  /** Without it no branch is moved. */
  readonly fence: AttemptFence;
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
      /could not create directory|could not lock|unable to create|No such file or directory|failed to read/i.test(
        stderr,
      );
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
  const fence = await claimFence(repository, { directiveId, taskId, attempt });
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
    fence,
  };
}
