import type { AttemptResult } from '../../../protocol/actions.ts';
import type { StateFolder } from '../../../protocol/state-folder.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Assignment } from '../servant.ts';
import { collectReports } from './collect-reports.ts';
import { artifactFolder, keepArtifacts } from './keep-artifacts.ts';
import { readTaskFiles } from './task-files.ts';

/** Gathers what a command left, however it ended: outputs, added tasks, test reports, artifacts. Never rejects. */
export async function collectResults(
  { folder, log }: { folder: StateFolder; log: Logger },
  { task, workspace: named, directiveId, attempt }: Assignment,
  {
    exchange,
    startedAt,
    inWorktree,
  }: { exchange: string; startedAt: number; inWorktree: string | undefined },
): Promise<Partial<AttemptResult>> {
  const workspace = inWorktree ?? named;
  const ids = { directiveId, taskId: task.id, attempt };
  const kept = { workspace, patterns: task.artifacts ?? [], folder: artifactFolder(folder.artifacts, ids) };
  const [{ problems, ...files }, tests, artifacts] = await Promise.all([
    readTaskFiles(exchange),
    collectReports(workspace, task.reports ?? [], startedAt).catch((error: Error) => {
      log.warn({ taskId: task.id, error: error.message }, 'the test reports could not be read');
      return undefined;
    }),
    keepArtifacts(kept).catch((error: Error) => {
      log.warn({ taskId: task.id, error: error.message }, 'the artifacts could not be kept');
      return { folder: kept.folder, files: [], problems: [error.message.slice(0, 300)] };
    }),
  ]);
  if (problems.length > 0) log.warn({ taskId: task.id, problems }, 'a command left what is no use');
  const { outputs, added } = files;
  return {
    ...(outputs && { outputs }),
    ...(added && { added: [...added] }),
    ...(tests && { tests }),
    ...(artifacts && { artifacts }),
  };
}
