import { ElderError } from '../../protocol/errors.ts';

/** A task, or with `null` all tasks of a directive. */
export interface TaskName {
  readonly directiveId: string;
  readonly taskId: string | null;
}

/** Reads `DIRECTIVE/TASK`, or `DIRECTIVE` alone where that is allowed. Throws `usage`. */
export function parseTaskName(text: string, alone: 'allowed' | 'refused' = 'refused'): TaskName {
  const slash = text.indexOf('/');
  if (slash < 0 && alone === 'allowed') return { directiveId: text, taskId: null };
  const [directiveId, taskId] = [text.slice(0, slash), text.slice(slash + 1)];
  if (slash <= 0 || taskId === '' || taskId.includes('/')) {
    throw new ElderError(
      'usage',
      `"${text}" names no task; write DIRECTIVE/TASK, as \`elders task list\` does`,
    );
  }
  return { directiveId, taskId };
}
