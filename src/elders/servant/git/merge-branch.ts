import { setTimeout as delay } from 'node:timers/promises';
import { ElderError } from '../../../protocol/errors.ts';
import { type AttemptFence, holdsFence, moveBranch } from './attempt-fence.ts';
import { moveBranchWith } from './branch-transaction.ts';
import { type GitEnd, git, type Repository, tryGit } from './git-command.ts';
import { commitOf, currentBranch, mergeCommits } from './merge-commits.ts';

/** How often a merge is tried anew because somebody else moved the branch or held the index meanwhile. */
const mergeAttempts = 30;
const namedFiles = 20;

/** What is to be merged, and where to. */
interface Merge {
  readonly branch: string;
  readonly commit: string;
  readonly message: string;
  /** Where the branch begins if there is none yet. */
  readonly base: string;
  readonly fence: AttemptFence;
}

/**
 * Merges a commit into a branch. A branch that the workspace has checked out takes its files along, unless that would
 * overwrite what is not committed. Throws `conflict` that names the files, or `fenced` where a later attempt has begun, and
 * then has changed nothing.
 */
export async function mergeIntoBranch(repository: Repository, merge: Merge): Promise<string> {
  const { branch, commit, message, base, fence } = merge;
  let last: ElderError | undefined;
  for (let attempt = 1; attempt <= mergeAttempts; attempt += 1) {
    const before = await commitOf(repository, `refs/heads/${branch}`);
    const merged = await mergeCommits(repository, { into: before ?? base, from: commit, message });
    if (merged === before) return merged;
    if (!(await holdsFence(repository, fence))) {
      throw new ElderError('fenced', `${message}: a later attempt at the task has begun`);
    }
    const isCheckedOut = (await currentBranch(repository)) === branch;
    const move = { branch, from: before ?? null, to: merged, reason: message };
    const moved =
      isCheckedOut && before !== undefined
        ? await moveWithFiles(repository, { ...merge, from: before, to: merged })
        : await moveBranch(repository, fence, move);
    if (moved.code === 0) return merged;
    last = new ElderError('conflict', `${message}: ${moved.stderr.trim().slice(0, 1_000)}`);
    // Somebody else holds the index or has moved the branch: both are over soon.
    await delay(20 + Math.random() * 50 * attempt);
  }
  throw last ?? new ElderError('conflict', message);
}

/** Takes the files of the workspace along: what would be overwritten keeps the branch where it is. */
async function moveWithFiles(
  repository: Repository,
  { branch, fence, message, from, to }: Merge & { from: string; to: string },
): Promise<GitEnd> {
  return moveBranchWith(repository, fence, { branch, from, to, reason: message }, async () => {
    // Its answer tells only that files differ.
    await tryGit(repository, ['update-index', '-q', '--refresh']);
    const files = await tryGit(repository, ['read-tree', '-m', '-u', from, to]);
    if (files.code === 0) return files;
    const overwritten = await filesInTheWay(repository, from, to);
    if (overwritten.length === 0) return files;
    const named = overwritten.slice(0, namedFiles).join(', ');
    throw new ElderError(
      'conflict',
      `${message}: files that are not committed would be overwritten: ${named}`,
    );
  });
}

/** Lists what is not committed among the files that differ between two commits. */
async function filesInTheWay(repository: Repository, from: string, to: string): Promise<string[]> {
  const names = async (...args: string[]) =>
    (await git(repository, args)).split('\0').filter((name) => name !== '');
  const touched = await names('diff-tree', '-r', '-z', '--name-only', '--no-ext-diff', from, to);
  const own = await names(
    'diff-index',
    '-z',
    '--name-only',
    '--ignore-submodules=all',
    '--no-ext-diff',
    from,
  );
  const untracked = await names('ls-files', '-z', '--others');
  const open = new Set([...own, ...untracked]);
  return touched.filter((name) => open.has(name));
}
