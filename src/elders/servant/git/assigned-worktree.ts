import { join } from 'node:path';
import type { AttemptResult } from '../../../protocol/actions.ts';
import type { StateFolder } from '../../../protocol/state-folder.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { artifactFolder } from '../results/keep-artifacts.ts';
import type { Assignment } from '../servant.ts';
import { finishWorktree, leaveWorktree } from './finish-worktree.ts';
import { makeWorktree, type Worktree } from './worktree.ts';

/** Makes the worktree of an assignment that asks for one. Throws as `makeWorktree`. */
export async function assignedWorktree(
  { worktrees }: StateFolder,
  { task, workspace, directiveId, attempt, bases = [] }: Assignment,
): Promise<Worktree | undefined> {
  if (task.git === undefined) return undefined;
  const ids = { directiveId, taskId: task.id, attempt };
  return makeWorktree({ folder: worktrees, workspace, ...ids, wish: task.git, bases });
}

/** Turns what the command left into a commit or a patch; what cannot become one stays, and the attempt has failed. */
export async function endWorktree(
  { folder, log }: { folder: StateFolder; log: Logger },
  { task, directiveId, attempt }: Assignment,
  { worktree, result, mayMerge }: { worktree: Worktree; result: AttemptResult; mayMerge: () => boolean },
): Promise<AttemptResult> {
  if (result.outcome !== 'succeeded') return { ...result, git: await leaveWorktree(worktree) };
  const ids = { directiveId, taskId: task.id, attempt };
  const patchPath = join(artifactFolder(folder.artifacts, ids), 'changes.patch');
  const message = `${task.id}\n\nElders-Directive: ${directiveId}\nElders-Task: ${task.id}\nElders-Attempt: ${attempt}\n`;
  const wanted = { message, result: task.git?.result ?? 'commit', patchPath, mayMerge };
  try {
    const ended = await finishWorktree(worktree, wanted);
    const failed = ended.failure === undefined ? {} : { outcome: 'failed' as const, reason: ended.failure };
    return { ...result, ...failed, git: ended.git, finishedAt: Date.now() };
  } catch (error) {
    log.warn({ taskId: task.id, error: String(error) }, 'the work could not be committed');
    const git = await leaveWorktree(worktree);
    return { ...result, outcome: 'failed', reason: (error as Error).message, git };
  }
}
