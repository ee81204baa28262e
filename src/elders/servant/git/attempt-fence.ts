import { setTimeout as delay } from 'node:timers/promises';
import { ElderError } from '../../../protocol/errors.ts';
import { type GitEnd, type GitPlace, git, tryGit } from './git-command.ts';
import { taskBranch } from './task-branch.ts';

const claimTries = 8;

/** Where fences stand; not below `refs/elders/`, or git took a fence for the branch of the same name. */
export const fencePrefix = 'refs/elders-fences/';

/**
 * What says in the repository itself which attempt at a task may move branches. A servant that was stopped does not know
 * that its lease is over; git does, since it moves a branch only together with a look at this.
 */
export interface AttemptFence {
  /** `refs/elders-fences/DIRECTIVE/TASK`. */
  readonly ref: string;
  /** The object that it points to as long as no later attempt has begun. */
  readonly token: string;
}

/** A branch that is to be moved; without `to` it is deleted, with `from: null` it must not be there yet. */
export interface BranchMove {
  readonly branch: string;
  readonly from: string | null;
  readonly to?: string;
}

/** Takes the fence of a task for an attempt. Throws `fenced` where a later one has it. */
export async function claimFence(
  place: GitPlace,
  { directiveId, taskId, attempt }: { directiveId: string; taskId: string; attempt: number },
): Promise<AttemptFence> {
  const ref = fencePrefix + taskBranch(directiveId, taskId).slice('elders/'.length);
  const token = (
    await git(place, ['hash-object', '-w', '--stdin'], { input: `attempt ${attempt}\n` })
  ).trim();
  for (let round = 1; ; round += 1) {
    const { stdout } = await tryGit(place, ['rev-parse', '--verify', '--quiet', ref]);
    const holder = stdout.trim();
    if (holder !== '' && (await attemptOf(place, holder)) > attempt) throw fenced(attempt);
    const args = ['update-ref', '-m', `attempt ${attempt}`, ref, token, holder];
    const { code, stderr } = await tryGit(place, args);
    if (code === 0) return { ref, token };
    if (round === claimTries)
      throw new ElderError('conflict', `git update-ref: ${stderr.trim().slice(0, 500)}`);
    await delay(round * 20 * (0.5 + Math.random()));
  }
}

async function attemptOf(place: GitPlace, token: string): Promise<number> {
  const { stdout } = await tryGit(place, ['cat-file', 'blob', token]);
  return Number(/^attempt (\d+)$/m.exec(stdout)?.[1] ?? 0);
}

function fenced(attempt: number): ElderError {
  return new ElderError('fenced', `attempt ${attempt} is over: a later one has begun`);
}

/** Tells whether no later attempt has begun. */
export async function holdsFence(place: GitPlace, { ref, token }: AttemptFence): Promise<boolean> {
  return (await tryGit(place, ['rev-parse', '--verify', '--quiet', ref])).stdout.trim() === token;
}

/** What git is told to move a branch only as long as the fence holds. */
export function moveOf(fence: AttemptFence, { branch, from, to }: BranchMove): string {
  const ref = `refs/heads/${branch}`;
  const change = from === null ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`;
  return `verify ${fence.ref} ${fence.token}\n${to === undefined ? `delete ${ref} ${from}` : change}\n`;
}

/** Moves a branch if it is where it is expected and the fence holds, both in one step of git; gives how that ended. */
export async function moveBranch(
  place: GitPlace,
  fence: AttemptFence,
  move: BranchMove & { reason: string },
): Promise<GitEnd> {
  return tryGit(place, ['update-ref', '-m', move.reason, '--stdin'], { input: moveOf(fence, move) });
}

/** As `moveBranch`. Throws `fenced` where a later attempt has begun, `conflict` where the branch is elsewhere. */
export async function insistOnMove(
  place: GitPlace,
  fence: AttemptFence,
  move: BranchMove & { reason: string },
): Promise<void> {
  const { code, stderr } = await moveBranch(place, fence, move);
  if (code === 0) return;
  if (!(await holdsFence(place, fence)))
    throw new ElderError('fenced', 'a later attempt at the task has begun');
  throw new ElderError('conflict', `git update-ref: ${stderr.trim().slice(0, 1_000)}`);
}

/** Gives the fence back once the attempt moves no branch any more; one that a later attempt has taken stays. */
export async function releaseFence(place: GitPlace, { ref, token }: AttemptFence): Promise<void> {
  await tryGit(place, ['update-ref', '-d', ref, token]);
}
