import { ElderError } from '../../../protocol/errors.ts';
import type { TreeStatus } from '../../../protocol/process.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { statusText } from '../../tree/status-text.ts';
import { statusWithoutManager } from '../../tree/status-without-manager.ts';

async function readStatus({ folder, signal, text }: Session): Promise<TreeStatus> {
  try {
    return await new ManagerClient(folder, signal).status();
  } catch (error) {
    if (!(error instanceof ElderError) || error.code !== 'not_running') throw error;
    return statusWithoutManager(folder, text.status.aliveWithoutManager);
  }
}

/** Prints the state of the tree. Throws `not_running` or `not_healthy` unless all of it is ready. */
export async function run(session: Session): Promise<void> {
  const status = await readStatus(session);
  session.print(status, () => statusText(status, session.text, Date.now()));
  if (status.state === 'ready') return;
  if (status.manager === null && status.state === 'stopped') {
    throw new ElderError('not_running', `no manager runs the tree in ${session.folder.project}`);
  }
  const faulty = status.elders
    .filter(({ state }) => state !== 'ready')
    .map(({ name, state }) => `${name} ${state}`);
  const manager = status.manager === null ? ['no manager'] : [];
  throw new ElderError('not_healthy', `${status.state}: ${[...manager, ...faulty].join(', ')}`);
}
