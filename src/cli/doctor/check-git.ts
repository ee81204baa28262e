import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Check } from './check.ts';

const run = promisify(execFile);

/** `git merge-tree --write-tree`, which merges without a work tree, came with this version. */
const wantedGit = { major: 2, minor: 38 };

/** Whether tasks can be given worktrees; all others need no git. */
export const checkGit: Check = async () => {
  const wanted = `tasks with \`git:\` need ${wantedGit.major}.${wantedGit.minor}`;
  try {
    const { stdout } = await run('git', ['--version'], { timeout: 10_000 });
    const [version = stdout.trim(), major = 0, minor = 0] = /(\d+)\.(\d+)[\w.]*/.exec(stdout) ?? [];
    const isEnough =
      Number(major) > wantedGit.major ||
      (Number(major) === wantedGit.major && Number(minor) >= wantedGit.minor);
    return isEnough
      ? { state: 'ok', detail: version }
      : { state: 'warn', detail: `${version} is too old: ${wanted} or newer` };
  } catch (error) {
    return { state: 'warn', detail: `git cannot be run, ${wanted} or newer: ${(error as Error).message}` };
  }
};
