import { existsSync } from 'node:fs';
import { readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fencePrefix } from './attempt-fence.ts';
import { type GitPlace, git, openRepository, type Repository, tryGit } from './git-command.ts';
import { commitOf } from './merge-commits.ts';
import { commitTree, takeSnapshot } from './snapshot.ts';
import { taskBranch } from './task-branch.ts';
import { listNotes, type WorktreeNote } from './worktree-note.ts';

const prefix = 'refs/heads/elders/';

/** A worktree that an attempt left. */
export interface LeftWorktree {
  readonly kind: 'worktree';
  readonly directiveId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly path: string;
  readonly branch: string;
  /** How many files are not committed; `null` where git cannot tell. */
  readonly uncommitted: number | null;
}

/** A branch of a task. */
export interface LeftBranch {
  readonly kind: 'branch';
  readonly directiveId: string;
  readonly branch: string;
  readonly repository: string;
  readonly commit: string;
  /** Whether a branch that is none of a task contains it. */
  readonly merged: boolean;
}

export type Leftover = LeftWorktree | LeftBranch;

/** What cleaning did to a leftover; work that nobody merged is never thrown away. */
export type Cleaned = Leftover & {
  readonly done: 'removed' | 'committed and removed' | 'kept';
  /** Why it was kept. */
  readonly reason: string | null;
};

interface Found {
  readonly worktrees: readonly {
    readonly left: LeftWorktree;
    readonly note: WorktreeNote;
    readonly home: string;
  }[];
  readonly branches: readonly { readonly left: LeftBranch; readonly repository: Repository }[];
  readonly repositories: readonly Repository[];
}

/** The place of a worktree by its note; without one its command never began, so that its `.git` is git's own. */
async function placeOf(
  note: WorktreeNote,
  tree: string,
  repository: Repository,
): Promise<GitPlace | undefined> {
  const link = note.gitFolder === '' ? await readFile(join(tree, '.git'), 'utf8').catch(() => '') : '';
  const gitFolder = note.gitFolder || link.replace(/^gitdir: /, '').trimEnd();
  if (gitFolder === '' || !existsSync(gitFolder)) return undefined;
  return { gitFolder, workTree: tree, ...(repository.disarmed && { disarmed: repository.disarmed }) };
}

async function countUncommitted(place: GitPlace): Promise<number> {
  const untracked = await git(place, ['ls-files', '-z', '--others', '--exclude-standard']);
  // Not `diff-files`: it takes files for changed whose times only are not what the index says.
  const changed = await git(place, [
    'diff',
    '-z',
    '--name-only',
    '--ignore-submodules=all',
    '--no-ext-diff',
    '--no-textconv',
  ]);
  const staged = await git(place, [
    'diff-index',
    '-z',
    '--cached',
    '--name-only',
    '--ignore-submodules=all',
    'HEAD',
  ]);
  return new Set(
    [untracked, changed, staged].flatMap((list) => list.split('\0')).filter((path) => path !== ''),
  ).size;
}

async function branchesOf(repository: Repository, only: string | undefined): Promise<LeftBranch[]> {
  const listed = await git(repository, [
    'for-each-ref',
    '--format=%(refname)%00%(objectname)',
    `${prefix}${only ?? ''}`,
  ]);
  const found: LeftBranch[] = [];
  for (const line of listed.split('\n').filter((text) => text !== '')) {
    const [ref = '', commit = ''] = line.split('\0');
    const holders = await git(repository, [
      'for-each-ref',
      '--format=%(refname)',
      '--contains',
      commit,
      'refs/heads',
      'refs/remotes',
    ]);
    const merged = holders.split('\n').some((holder) => holder !== '' && !holder.startsWith(prefix));
    const [directiveId = ''] = ref.slice(prefix.length).split('/');
    const branch = ref.slice('refs/heads/'.length);
    found.push({ kind: 'branch', directiveId, branch, repository: repository.top, commit, merged });
  }
  return found;
}

async function find(options: {
  worktrees: string;
  project: string;
  directiveId: string | undefined;
}): Promise<Found> {
  const { directiveId: only } = options;
  const notes = (await listNotes(options.worktrees)).filter(
    ({ note }) => only === undefined || note.directiveId === only,
  );
  const repositories = new Map<string, Repository>();
  const open = async (folder: string) => {
    const repository = await openRepository(folder).catch(() => undefined);
    if (repository) repositories.set(repository.common, repository);
    return repository;
  };
  await open(options.project);
  const worktrees: Found['worktrees'][number][] = [];
  for (const { note, home, tree } of notes) {
    const repository = await open(note.workspace);
    const place = repository && (await placeOf(note, tree, repository));
    const uncommitted = place === undefined ? null : await countUncommitted(place).catch(() => null);
    const { directiveId, taskId, attempt, branch } = note;
    const left = { kind: 'worktree' as const, directiveId, taskId, attempt, path: tree, branch, uncommitted };
    worktrees.push({ left, note, home });
  }
  const branches: Found['branches'][number][] = [];
  for (const repository of repositories.values()) {
    for (const left of await branchesOf(repository, only)) branches.push({ left, repository });
  }
  return { worktrees, branches, repositories: [...repositories.values()] };
}

/** Lists what tasks left in git: worktrees, and branches below `elders/`. */
export async function listLeftovers(options: {
  worktrees: string;
  project: string;
  directiveId: string | undefined;
}): Promise<Leftover[]> {
  const { worktrees, branches } = await find(options);
  return [...worktrees.map(({ left }) => left), ...branches.map(({ left }) => left)];
}

async function cleanWorktree({ left, note, home }: Found['worktrees'][number]): Promise<Cleaned> {
  const kept = (reason: string): Cleaned => ({ ...left, done: 'kept', reason: reason.slice(0, 500) });
  try {
    const repository = await openRepository(note.workspace);
    const place = await placeOf(note, left.path, repository);
    if (place === undefined) {
      if (note.gitFolder !== '') return kept('git does not know this worktree any more');
      await rm(home, { recursive: true, force: true });
      return { ...left, done: 'removed', reason: null };
    }
    const head = await commitOf(place, 'HEAD');
    if (head === undefined) return kept('it has no commit');
    const { tree, changed } = await takeSnapshot(place, head);
    if (changed) {
      const message = `${note.taskId}: what attempt ${note.attempt} had not committed\n\nElders-Directive: ${note.directiveId}\n`;
      const commit = await commitTree(place, { tree, base: head, message });
      await git(place, ['update-ref', '-m', 'kept by elders task clean', 'HEAD', commit, head]);
    }
    const removed = await tryGit(repository, ['worktree', 'remove', left.path]);
    if (removed.code !== 0) return kept(removed.stderr.trim());
    await rm(home, { recursive: true, force: true });
    await rmdir(dirname(home)).catch(() => undefined);
    return { ...left, done: changed ? 'committed and removed' : 'removed', reason: null };
  } catch (error) {
    return kept((error as Error).message);
  }
}

async function cleanBranch({ left, repository }: Found['branches'][number]): Promise<Cleaned> {
  const kept = (reason: string): Cleaned => ({ ...left, done: 'kept', reason: reason.slice(0, 500) });
  if (!left.merged) return kept('no other branch contains it');
  // Not by force, and only as it was when it was looked at.
  const checkedOut = await git(repository, ['worktree', 'list', '--porcelain']);
  if (checkedOut.includes(`branch refs/heads/${left.branch}\n`)) return kept('a worktree has it checked out');
  const { code, stderr } = await tryGit(repository, [
    'update-ref',
    '-d',
    `refs/heads/${left.branch}`,
    left.commit,
  ]);
  return code === 0 ? { ...left, done: 'removed', reason: null } : kept(stderr.trim());
}

/**
 * Removes what tasks left in git. Work that is not committed becomes a commit on its branch first; a branch goes only if
 * another one contains it. `isBusy` tells which task still runs: nothing of it is touched.
 */
export async function cleanLeftovers(options: {
  worktrees: string;
  project: string;
  directiveId: string | undefined;
  isBusy: (directiveId: string, taskId: string) => boolean;
}): Promise<Cleaned[]> {
  const before = await find(options);
  const done: Cleaned[] = [];
  for (const worktree of before.worktrees) {
    const { directiveId, taskId } = worktree.left;
    const busy = options.isBusy(directiveId, taskId);
    done.push(
      busy ? { ...worktree.left, done: 'kept', reason: 'its task runs' } : await cleanWorktree(worktree),
    );
  }
  // What was uncommitted may be on a branch only now.
  const { branches, repositories } = await find(options);
  for (const branch of branches) done.push(await cleanBranch(branch));
  for (const repository of repositories) await dropFences(repository, options);
  return done;
}

/** Removes the fences of attempts whose servant did not live to give them back. */
async function dropFences(
  repository: Repository,
  { directiveId: only, isBusy }: Parameters<typeof cleanLeftovers>[0],
): Promise<void> {
  const listed = await git(repository, [
    'for-each-ref',
    '--format=%(refname)',
    `${fencePrefix}${only ?? ''}`,
  ]);
  for (const ref of listed.split('\n').filter((text) => text !== '')) {
    const [directiveId = '', name = ''] = ref.slice(fencePrefix.length).split('/');
    // Of a changed name nobody knows the task; such a fence stays, which harms nothing.
    const isOwnName = taskBranch(directiveId, name) === `elders/${directiveId}/${name}`;
    if (isOwnName && !isBusy(directiveId, name)) await tryGit(repository, ['update-ref', '-d', ref]);
  }
}
