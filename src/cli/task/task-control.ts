import type { TaskOperation } from '../../protocol/states.ts';
import type { CommandInput } from '../command-spec.ts';
import { GatewayClient } from '../connection/gateway-client.ts';
import type { Session } from '../session.ts';
import { parseTaskName } from './task-name.ts';

/** Has a task, or all tasks of a directive, paused, resumed, retried or cancelled, and prints what was changed. */
export async function controlTask(
  session: Session,
  input: CommandInput,
  operation: TaskOperation,
): Promise<void> {
  const alone = operation === 'cancel' ? 'refused' : 'allowed';
  const { directiveId, taskId } = parseTaskName(input.arguments[0]!, alone);
  const order = {
    directiveId,
    taskId,
    operation,
    subtree: input.flag('subtree'),
    reason: input.text('reason') ?? `elders task ${operation}`,
  };
  const done = await new GatewayClient(session).ask('grand_elder', 'development.task.control', order);
  session.print(done, () => `${session.text.task.controlled[operation](done.count, directiveId)}\n`);
}
