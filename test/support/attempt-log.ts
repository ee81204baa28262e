import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The command of a task that leaves evidence: it holds a lock named after the task for as long as any of its
 * processes lives and writes to `overlaps` if another attempt holds it, so two attempts at a time show.
 */
export function witnessedCommand(seconds: number): string {
  return [
    'mkdir -p locks && exec 9>"locks/$ELDERS_TASK_ID"',
    'flock -n 9 || echo "$ELDERS_TASK_ID $ELDERS_ATTEMPT" >> overlaps',
    'echo "$ELDERS_TASK_ID $ELDERS_ATTEMPT" >> starts',
    `sleep ${seconds}`,
  ].join('\n');
}

async function lines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean);
}

/** What the commands of a workspace have witnessed. */
export async function evidence(workspace: string): Promise<{ starts: string[]; overlaps: string[] }> {
  const [starts, overlaps] = await Promise.all([
    lines(join(workspace, 'starts')),
    lines(join(workspace, 'overlaps')),
  ]);
  return { starts, overlaps };
}
