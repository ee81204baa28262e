import type { CommandInput } from '../../command-spec.ts';
import type { Session } from '../../session.ts';
import { controlTask } from '../../task/task-control.ts';

/** Has tasks that failed or were cancelled run again, and what was skipped because of them. Throws `not_found` and `conflict`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  await controlTask(session, input, 'retry');
}
