import { authorOf, type GitPlace, git } from './git-command.ts';

/** What a work tree holds, as a tree of git. */
export interface Snapshot {
  readonly tree: string;
  /** Whether that differs from the commit that the work began from. */
  readonly changed: boolean;
  /** Repositories within it, which are nobody's to take over. */
  readonly nested: readonly string[];
}

/**
 * Takes what a work tree holds into its index. Not by `git add`: a repository that a command made within it would have
 * its own settings, and with them its own programs, followed.
 */
export async function takeSnapshot(place: GitPlace, base: string): Promise<Snapshot> {
  const untracked = await git(place, ['ls-files', '-z', '--others', '--exclude-standard']);
  const touched = await git(place, [
    'diff-files',
    '-z',
    '--name-only',
    '--ignore-submodules=all',
    '--no-ext-diff',
  ]);
  const paths = [...untracked.split('\0'), ...touched.split('\0')].filter((path) => path !== '');
  const nested = paths.filter((path) => path.endsWith('/'));
  const files = paths.filter((path) => !path.endsWith('/'));
  if (files.length > 0) {
    const input = files.map((path) => `${path}\0`).join('');
    await git(place, ['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], { input });
  }
  const tree = (await git(place, ['write-tree'])).trim();
  const before = (await git(place, ['rev-parse', '--verify', `${base}^{tree}`])).trim();
  return { tree, changed: tree !== before, nested };
}

/** Makes a commit of a tree; no branch has it yet. */
export async function commitTree(
  place: GitPlace,
  { tree, base, message }: { tree: string; base: string; message: string },
): Promise<string> {
  const args = ['commit-tree', tree, '-p', base, '-F', '-'];
  return (await git(place, args, { input: message, env: await authorOf(place) })).trim();
}
