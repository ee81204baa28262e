import { createHash } from 'node:crypto';

/**
 * Names the branch of a task: `elders/DIRECTIVE/TASK`. An id that cannot be a part of the name of a branch is changed
 * and gets a few characters of its hash.
 */
export function taskBranch(directiveId: string, taskId: string): string {
  const usable = taskId
    .replaceAll('..', '__')
    .replace(/\.$/, '_')
    .replace(/\.lock$/i, '_lock');
  const mark = createHash('sha256').update(taskId).digest('hex').slice(0, 8);
  return `elders/${directiveId}/${usable === taskId ? taskId : `${usable}-${mark}`}`;
}
