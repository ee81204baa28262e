import { existsSync } from 'node:fs';
import { reapSandbox } from '../../../elders/servant/execution/reap-sandbox.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { fixedElders } from '../../../protocol/roster.ts';
import type { StateFolder } from '../../../protocol/state-folder.ts';
import { removeProcessRecord } from '../../../supervision/elders/process-records.ts';
import { removeLeftovers } from '../../../supervision/manager/leftovers.ts';
import { ManagerLock, readHolder } from '../../../supervision/manager/manager-lock.ts';
import { readProcessIdentity, signalProcess, waitUntilGone } from '../../../telemetry/process-identity.ts';
import type { CommandInput } from '../../command-spec.ts';
import { findLivingProcesses, type LivingProcess } from '../../connection/living-processes.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { managerEventText } from '../../tree/manager-event-text.ts';

/** Longest that a process without a manager may drain, and that the kernel may take to end one, ms. */
/** How long a manager may take to answer before `--force` kills it too, ms. */
const forcedAnswerMs = 5_000;
const drainMs = 10_000;
const killMs = 10_000;

async function stopByManager(session: Session, force: boolean): Promise<boolean> {
  const client = new ManagerClient(session.folder, session.signal, force ? forcedAnswerMs : undefined);
  const manager = readHolder(session.folder.managerLock);
  try {
    for await (const event of client.shutdown(force ? 'kill' : 'drain')) {
      session.note(managerEventText(event, session.text));
    }
  } catch (error) {
    const code = error instanceof ElderError ? error.code : undefined;
    if (code === 'not_running') return false;
    if (code !== 'timed_out' || !force || manager === null) throw error;
    // It hangs. Without it the processes of the tree are ended by their records.
    signalProcess(manager, 'SIGKILL');
  }
  if (manager !== null) await waitUntilGone(manager, killMs);
  return true;
}

/** Order of ending: servants, what they left running, then the others in reverse order of start, Redis last. */
function stopOrder({ name, kind }: LivingProcess): number {
  if (kind === 'sandbox') return 1;
  if (name === 'redis') return fixedElders.length + 2;
  const position = fixedElders.findIndex((elder) => elder.name === name);
  return position < 0 ? 0 : fixedElders.length + 1 - position;
}

async function end(found: LivingProcess, folder: StateFolder, force: boolean): Promise<void> {
  const { identity } = found;
  if (found.kind === 'sandbox') {
    await reapSandbox(folder.sandboxRecord(found.name));
    return;
  }
  if (!force && signalProcess(identity, 'SIGTERM')) {
    try {
      await waitUntilGone(identity, drainMs);
    } catch (error) {
      if (!(error instanceof ElderError) || error.code !== 'timed_out') throw error;
    }
  }
  if (signalProcess(identity, 'SIGKILL')) await waitUntilGone(identity, killMs);
  // It may have begun to start a command since the list was made.
  await reapSandbox(folder.sandboxRecord(found.name));
  // Without its record the next start is a start, not a restart.
  await removeProcessRecord(folder, found.name);
}

async function stopByRecords(session: Session, force: boolean): Promise<string[]> {
  const { folder, text } = session;
  const living = findLivingProcesses(folder);
  if (living.length > 0) session.note(text.down.orphans(living.length));
  const levels = Map.groupBy(living, stopOrder);
  for (const level of [...levels.keys()].sort((a, b) => a - b)) {
    session.signal.throwIfAborted();
    await Promise.all(
      (levels.get(level) ?? []).map(async (found) => {
        session.note(text.up.stopping(`${found.name} (pid ${found.identity.pid})`));
        await end(found, folder, force);
      }),
    );
  }
  return living.map(({ name, kind }) => (kind === 'sandbox' ? `${name} (sandbox)` : name));
}

/** Removes the files of a tree of which nothing runs any more, unless a manager has come up meanwhile. */
async function clearFolder(folder: StateFolder): Promise<void> {
  const self = readProcessIdentity(process.pid);
  if (self === undefined || !existsSync(folder.run)) return;
  let lock: ManagerLock;
  try {
    lock = ManagerLock.take(folder.managerLock, self);
  } catch (error) {
    if (error instanceof ElderError && error.code === 'already_running') return;
    throw error;
  }
  try {
    await removeLeftovers(folder);
  } finally {
    lock.release();
  }
}

/** Stops the tree, by its manager or, where that is dead, by the records it left. Returns once nothing is left. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const force = input.flag('force');
  const managed = await stopByManager(session, force);
  const orphans = await stopByRecords(session, force);
  const left = findLivingProcesses(session.folder);
  if (left.length > 0) {
    const names = left.map(({ name, identity }) => `${name} (pid ${identity.pid})`).join(', ');
    throw new ElderError('conflict', `still alive: ${names}`);
  }
  await clearFolder(session.folder);
  const none = !managed && orphans.length === 0;
  const text = none ? session.text.down.none : session.text.down.done;
  session.print({ stopped: !none, manager: managed, orphans }, () => `${text}\n`);
}
