import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';
import { parseTaskName } from '../../task/task-name.ts';
import { taskText } from '../../task/task-text.ts';

/** Shows all that is kept of one task. Throws `usage` and `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const { directiveId, taskId } = parseTaskName(input.arguments[0]!);
  const payload = { directiveId, taskId: taskId as string };
  const task = await new GatewayClient(session).ask('task_sage', 'sage.task.show', payload);
  session.print(task, () => taskText(task, session.text, Date.now()));
}
