import { ElderError } from '../../../protocol/errors.ts';
import { type TaskState, taskStates } from '../../../protocol/states.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';
import { taskListText } from '../../task/task-text.ts';

const defaultLimit = 50;

function statesOf(text: string | undefined): TaskState[] {
  const words = (text ?? '').split(',').filter((word) => word !== '');
  const unknown = words.find((word) => !(taskStates as readonly string[]).includes(word));
  if (unknown !== undefined) {
    throw new ElderError('usage', `there is no state "${unknown}"; there are ${taskStates.join(', ')}`);
  }
  return words as TaskState[];
}

/** Lists tasks over all directives or of one, those under way first. Throws `usage` and `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [directiveId] = input.arguments;
  const found = await new GatewayClient(session).ask('task_sage', 'sage.task.list', {
    ...(directiveId !== undefined && { directiveId }),
    states: statesOf(input.text('state')),
    limit: input.number('limit') ?? defaultLimit,
  });
  session.print(found, () => taskListText(found, session.text, Date.now()));
}
