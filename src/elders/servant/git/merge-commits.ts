import { ElderError } from '../../../protocol/errors.ts';
import { authorOf, type GitPlace, git, type Repository, tryGit } from './git-command.ts';

const namedFiles = 20;
/** How often a merge is tried anew because somebody else moved the branch or held the index meanwhile. */
const mergeAttempts = 30;

/** Tells whether a commit is contained in another. */
export async function isAncestor(place: GitPlace, commit: string, of: string): Promise<boolean> {
  return (await tryGit(place, ['merge-base', '--is-ancestor', commit, of])).code === 0;
}

/** The commit that a name stands for, or `undefined`. */
export async function commitOf(place: GitPlace, name: string): Promise<string | undefined> {
  const { code, stdout } = await tryGit(place, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${name}^{commit}`,
  ]);
  return code === 0 ? stdout.trim() : undefined;
}

/**
 * Merges a commit into another without any work tree and gives the commit that has both. Throws `conflict` that
 * names the files.
 */
export async function mergeCommits(
  place: GitPlace,
  { into, from, message }: { into: string; from: string; message: string },
): Promise<string> {
  if (await isAncestor(place, from, into)) return into;
  if (await isAncestor(place, into, from)) return from;
  const merged = await tryGit(place, [
    'merge-tree',
    '--write-tree',
    '-z',
    '--name-only',
    '--no-messages',
    into,
    from,
  ]);
  const [tree = '', ...files] = merged.stdout.split('\0').filter((part) => part !== '');
  if (merged.code === 1) {
    const named = files.slice(0, namedFiles).join(', ');
    const more = files.length > namedFiles ? ` and ${files.length - namedFiles} more` : '';
    throw new ElderError('conflict', `${message}: conflicts in ${named}${more}`);
  }
  if (merged.code !== 0)
    throw new ElderError('conflict', `${message}: ${merged.stderr.trim().slice(0, 500)}`);
  const args = ['commit-tree', tree, '-p', into, '-p', from, '-m', message];
  return (await git(place, args, { env: await authorOf(place) })).trim();
}

/** The branch that a repository has checked out, or `undefined`. */
async function currentBranch(repository: Repository): Promise<string | undefined> {
  const { code, stdout } = await tryGit(repository, ['symbolic-ref', '--quiet', '--short', 'HEAD']);
  return code === 0 ? stdout.trim() : undefined;
}

/** Names the branch that `merge` means: a name, or `true` for the one that the workspace has checked out. */
export async function mergeTarget(repository: Repository, merge: true | string): Promise<string> {
  const name = merge === true ? await currentBranch(repository) : merge;
  if (name === undefined)
    throw new ElderError('conflict', 'the workspace has no branch checked out to merge into');
  const { code } = await tryGit(repository, ['check-ref-format', '--branch', name]);
  if (code !== 0) throw new ElderError('malformed', `"${name}" cannot be a branch`);
  return name;
}

/**
 * Merges a commit into a branch. A branch that the workspace has checked out takes its files along, unless that would
 * overwrite what is not committed. Throws `conflict` that names the files, and then has changed nothing.
 */
export async function mergeIntoBranch(
  repository: Repository,
  { branch, commit, message, base }: { branch: string; commit: string; message: string; base: string },
): Promise<string> {
  const ref = `refs/heads/${branch}`;
  let last: ElderError | undefined;
  for (let attempt = 1; attempt <= mergeAttempts; attempt += 1) {
    const before = await commitOf(repository, ref);
    const merged = await mergeCommits(repository, { into: before ?? base, from: commit, message });
    if (merged === before) return merged;
    const isCheckedOut = (await currentBranch(repository)) === branch;
    const moved =
      isCheckedOut && before !== undefined
        ? await tryGit(repository, ['merge', '--ff-only', '--no-stat', '--quiet', merged])
        : await tryGit(repository, ['update-ref', '-m', message, ref, merged, before ?? '']);
    if (moved.code === 0) return merged;
    const said = moved.stderr.trim().slice(0, 1_000);
    last = new ElderError('conflict', `${message}: ${said}`);
    if (/would be overwritten/.test(said)) throw last;
    // Somebody else holds the index or has moved the branch: both are over soon.
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 50 * attempt));
  }
  throw last ?? new ElderError('conflict', message);
}
