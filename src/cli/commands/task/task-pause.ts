import type { CommandInput } from '../../command-spec.ts';
import type { Session } from '../../session.ts';
import { controlTask } from '../../task/task-control.ts';

/** Keeps a task, or all of a directive, from being started; what runs goes on. Throws `not_found` and `conflict`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  await controlTask(session, input, 'pause');
}
