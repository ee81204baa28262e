import type { CommandInput } from '../../command-spec.ts';
import type { Session } from '../../session.ts';
import { controlTask } from '../../task/task-control.ts';

/** Cancels a task, with `--subtree` also everything that waits for it. Throws `not_found` and `conflict`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  await controlTask(session, input, 'cancel');
}
