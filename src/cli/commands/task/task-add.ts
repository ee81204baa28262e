import { resolve } from 'node:path';
import { readTasks } from '../../../protocol/directive-file.ts';
import type { CommandInput } from '../../command-spec.ts';
import { throwProblems } from '../../config/load-config.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { readInput } from '../../read-input.ts';
import type { Session } from '../../session.ts';

/** Adds the tasks of a file to a directive under way. Throws `directive_invalid`, `not_found`, `conflict`, `malformed`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [directiveId, file] = input.arguments as [string, string];
  const text = await readInput(file === '-' ? file : resolve(session.cwd, file));
  const read = readTasks(text);
  if (!read.ok)
    return throwProblems('directive_invalid', file === '-' ? 'standard input' : file, read.problems);
  const { tasks } = read;
  const done = await new GatewayClient(session).ask('grand_elder', 'development.task.add', {
    directiveId,
    tasks,
  });
  session.print(done, () => `${session.text.task.added(done.added, directiveId)}\n`);
}
