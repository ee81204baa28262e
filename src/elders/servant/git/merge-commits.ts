import { ElderError } from '../../../protocol/errors.ts';
import { authorOf, type GitPlace, git, type Repository, tryGit } from './git-command.ts';

const namedFiles = 20;

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
export async function currentBranch(repository: Repository): Promise<string | undefined> {
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
