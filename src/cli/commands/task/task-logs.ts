import { outputPath } from '../../../elders/servant/execution/output-file.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { isFinalDirective, isFinalTask } from '../../../protocol/states.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';
import { followFile } from '../../task/output-follower.ts';
import { parseTaskName } from '../../task/task-name.ts';
import { manyLines } from '../../text/printable.ts';

/** A terminal gets nothing that could steer it; a file or a pipe gets what the command printed. */
const shown = (text: string) => (process.stdout.isTTY ? manyLines(text) : text);

/** Resolves with the next attempt once `attempt` is over, or with `null` once the task is and it was the last. */
async function afterAttempt(
  client: GatewayClient,
  name: { directiveId: string; taskId: string },
  attempt: number,
) {
  for await (const view of client.watch(name.directiveId)) {
    const task = view.tasks.find(({ id }) => id === name.taskId);
    // What is seen of a task may leave out attempts, and the end of one together with the whole next.
    if (task && task.attempts > attempt) return attempt + 1;
    if (task && isFinalTask(task.state)) return null;
    if (isFinalDirective(view.state)) return null;
  }
  return null;
}

/**
 * Prints what a task printed; with `--follow` that attempt and those after it until the task has ended.
 * Throws `not_found`, and `conflict` for an attempt that has not begun.
 */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const { directiveId, taskId } = parseTaskName(input.arguments[0]!) as {
    directiveId: string;
    taskId: string;
  };
  const client = new GatewayClient(session);
  const task = await client.ask('task_sage', 'sage.task.show', { directiveId, taskId });
  const follow = input.flag('follow');
  const isOver = isFinalTask(task.state);
  let attempt = input.number('attempt') ?? task.attempts;
  if (attempt > task.attempts || (attempt === 0 && (isOver || !follow))) {
    throw new ElderError('conflict', `attempt ${Math.max(1, attempt)} of ${taskId} has not begun`);
  }
  const print = async (number: number, ended: Promise<unknown>) => {
    const path = outputPath({ folder: session.folder.output, directiveId, taskId, attempt: number });
    for await (const text of followFile(path, ended, session.signal)) {
      session.printItem({ directiveId, taskId, attempt: number, text }, () => shown(text));
    }
    session.signal.throwIfAborted();
  };
  if (!follow) return print(attempt, Promise.resolve());
  for (; attempt > 0 && attempt < task.attempts; attempt += 1) await print(attempt, Promise.resolve());
  if (isOver) return print(attempt, Promise.resolve());
  const after = (number: number) => afterAttempt(client, { directiveId, taskId }, number);
  if (attempt === 0) attempt = (await after(0)) ?? 0;
  while (attempt > 0) {
    const next = after(attempt);
    await print(attempt, next);
    attempt = (await next) ?? 0;
  }
}
