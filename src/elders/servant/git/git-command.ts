import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { ElderError } from '../../../protocol/errors.ts';
import { ownUser } from '../execution/own-user.ts';

/** How long one call of git may take, in ms: a checkout of a large repository is the longest of them. */
const gitMs = 120_000;
const maxOutput = 64_000_000;

/** A commit of nobody in particular is the tree's. */
const fallbackAuthor = { name: 'Elders Tree', email: 'elders-tree@localhost' };

/** Where a call of git works. All paths are absolute. */
export interface GitPlace {
  /** The folder of git's own data, given so that a `.git` which a command wrote decides nothing. */
  readonly gitFolder: string;
  readonly workTree?: string;
  /** Settings that take the repository's own programs away; see `openRepository`. */
  readonly disarmed?: readonly string[];
}

/** How a call of git ended that was not bound to succeed. */
export interface GitEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** No hook, no monitor, no signing, no upkeep in the background. */
const settings = [
  ...['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.pager=cat', 'core.editor=false'],
  ...['commit.gpgSign=false', 'gc.auto=0', 'maintenance.auto=false', 'submodule.recurse=false'],
  ...[
    'diff.ignoreSubmodules=all',
    'core.quotePath=false',
    'advice.detachedHead=false',
    'protocol.allow=never',
  ],
];

function environment(extra: Readonly<Record<string, string>>): Record<string, string> {
  // Nothing of the environment names a repository, an index or a program.
  const { PATH = '/usr/bin:/bin' } = process.env;
  const fixed = {
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    LC_ALL: 'C.UTF-8',
  };
  return { PATH, HOME: ownUser().homedir, ...fixed, ...extra };
}

function fixedArguments(): string[] {
  return settings.flatMap((setting) => ['-c', setting]);
}

/** Starts git to talk with it; it ends when its input does. */
export function startGit(place: GitPlace, args: readonly string[]): ChildProcessWithoutNullStreams {
  const all = [...fixedArguments(), ...placeArguments(place), ...args];
  return spawn('git', all, { env: environment({}), cwd: '/', timeout: gitMs, killSignal: 'SIGKILL' });
}

function call(
  place: string[],
  args: readonly string[],
  { input, env = {} }: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<GitEnd> {
  const all = [...fixedArguments(), ...place, ...args];
  const options = {
    env: environment(env),
    cwd: '/',
    timeout: gitMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: maxOutput,
    encoding: 'utf8' as const,
  };
  return new Promise((resolve, reject) => {
    const child = execFile('git', all, options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else if (error.killed)
        reject(new ElderError('timed_out', `git ${args[0]} took longer than ${gitMs} ms`));
      else reject(new ElderError('internal', `git ${args[0]}: ${error.message}`, { cause: error }));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
}

function placeArguments({ gitFolder, workTree, disarmed = [] }: GitPlace): string[] {
  return [
    ...disarmed.flatMap((setting) => ['-c', setting]),
    `--git-dir=${gitFolder}`,
    ...(workTree === undefined ? [] : ['-C', workTree, `--work-tree=${workTree}`]),
  ];
}

/** Runs git and gives how it ended. Throws `timed_out`, and `internal` where git cannot be started. */
export function tryGit(
  place: GitPlace,
  args: readonly string[],
  options?: { input?: string; env?: Readonly<Record<string, string>> },
): Promise<GitEnd> {
  return call(placeArguments(place), args, options);
}

/** Runs git and gives what it printed. Throws `conflict` with what git said if it fails. */
export async function git(
  place: GitPlace,
  args: readonly string[],
  options?: { input?: string; env?: Readonly<Record<string, string>> },
): Promise<string> {
  const { code, stdout, stderr } = await tryGit(place, args, options);
  if (code === 0) return stdout;
  throw new ElderError('conflict', `git ${args[0]}: ${stderr.trim().slice(0, 1_000) || `exit code ${code}`}`);
}

/** The repository that a folder belongs to. */
export interface Repository extends GitPlace {
  /** The folder whose files are under git. */
  readonly top: string;
  /** Git's data of all work trees together. */
  readonly common: string;
  /** Where the asked folder lies below `top`: empty, or with a slash at its end. */
  readonly prefix: string;
}

/** Keys of settings that name programs, which git runs on files. */
const programKey =
  /^(filter\..*\.(?:clean|smudge|process)|merge\..*\.driver|diff\..*\.(?:textconv|command))$/is;

/**
 * Takes away the programs that the repository's own settings name: a command that once ran in that folder may have
 * written them there. Those of the user's own settings (git-lfs) stay.
 */
async function disarm(gitFolder: string): Promise<string[]> {
  const { stdout } = await call(
    [`--git-dir=${gitFolder}`],
    ['config', '--local', '--includes', '--list', '--name-only', '-z'],
  );
  const found = stdout.split('\0').filter((key) => programKey.test(key));
  return found.flatMap((key) => {
    // A merge driver that fails is a conflict; a filter that is empty is none.
    if (key.endsWith('.driver')) return [`${key}=false`];
    const owner = key.slice(0, key.lastIndexOf('.'));
    return owner.startsWith('filter.') ? [`${key}=`, `${owner}.required=false`] : [`${key}=`];
  });
}

/** Finds the repository of a folder. Throws `malformed` if there is none that has a commit. */
export async function openRepository(folder: string): Promise<Repository> {
  const asked = [
    'rev-parse',
    '--path-format=absolute',
    '--absolute-git-dir',
    '--git-common-dir',
    '--show-toplevel',
    '--show-prefix',
  ];
  const found = await call(['-C', folder], asked);
  if (found.code !== 0)
    throw new ElderError('malformed', `git: ${found.stderr.trim().slice(0, 500)} (${folder})`);
  const [gitFolder = '', common = '', top = '', prefix = ''] = found.stdout.split('\n');
  const disarmed = await disarm(gitFolder);
  return { gitFolder, common, top, prefix, workTree: top, disarmed };
}

/** Whose name a commit bears: what the user's git settings say, or the tree's. */
export async function authorOf(place: GitPlace): Promise<Record<string, string>> {
  const setting = async (key: string) => (await tryGit(place, ['config', '--get', key])).stdout.trim();
  const name = (await setting('user.name')) || fallbackAuthor.name;
  const email = (await setting('user.email')) || fallbackAuthor.email;
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}
