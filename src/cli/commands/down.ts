import { ElderError } from '../../protocol/errors.ts';
import { fixedElders } from '../../protocol/roster.ts';
import { isSameProcess, signalProcess, waitUntilGone } from '../../telemetry/process-identity.ts';
import type { CommandInput } from '../command-table.ts';
import { findLivingProcesses, type LivingProcess } from '../living-processes.ts';
import { ManagerClient } from '../manager-client.ts';
import { managerEventText } from '../manager-event-text.ts';
import type { Session } from '../session.ts';

/** Longest that a process without a manager may drain, and that the kernel may take to end one, ms. */
const drainMs = 10_000;
const killMs = 10_000;

async function stopByManager(session: Session, force: boolean): Promise<boolean> {
  const client = new ManagerClient(session.folder, session.signal);
  let pid: number;
  try {
    pid = (await client.status()).manager?.pid ?? 0;
    for await (const event of client.shutdown(force ? 'kill' : 'drain')) {
      session.note(managerEventText(event, session.text));
    }
  } catch (error) {
    if (error instanceof ElderError && error.code === 'not_running') return false;
    throw error;
  }
  await waitForManager(session, pid);
  return true;
}

async function waitForManager(session: Session, pid: number): Promise<void> {
  const manager = findLivingProcesses(session.folder).find(({ record }) => record.pid === pid);
  if (manager) await waitUntilGone(manager.record, drainMs);
}

/** Order of ending: what works for others ends after them, Redis last. */
function stopOrder({ record, kind }: LivingProcess): number {
  if (kind === 'sandbox') return 0;
  if (record.name === 'redis') return fixedElders.length + 2;
  const position = fixedElders.findIndex(({ name }) => name === record.name);
  return position < 0 ? 1 : fixedElders.length + 1 - position;
}

async function end(found: LivingProcess, force: boolean): Promise<void> {
  const { record } = found;
  if (!force && signalProcess(record, 'SIGTERM')) {
    try {
      await waitUntilGone(record, drainMs);
      return;
    } catch (error) {
      if (!(error instanceof ElderError) || error.code !== 'timed_out') throw error;
    }
  }
  if (signalProcess(record, 'SIGKILL')) await waitUntilGone(record, killMs);
}

async function stopByRecords(session: Session, force: boolean): Promise<string[]> {
  const living = findLivingProcesses(session.folder).sort((a, b) => stopOrder(a) - stopOrder(b));
  if (living.length === 0) return [];
  session.note(session.text.down.orphans(living.length));
  const stopped: string[] = [];
  for (const found of living) {
    session.signal.throwIfAborted();
    const shown = `${found.record.name} (pid ${found.record.pid})`;
    session.note(session.text.up.stopping(shown));
    await end(found, force);
    stopped.push(found.record.name);
  }
  return stopped;
}

/** Stops the tree, by its manager or, where that is dead, by the records it left. Returns once nothing is left. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const force = input.flag('force');
  const managed = await stopByManager(session, force);
  const orphans = await stopByRecords(session, force);
  const left = findLivingProcesses(session.folder).filter(({ record }) => isSameProcess(record));
  if (left.length > 0) {
    const names = left.map(({ record }) => `${record.name} (pid ${record.pid})`).join(', ');
    throw new ElderError('conflict', `still alive: ${names}`);
  }
  const none = !managed && orphans.length === 0;
  const text = none ? session.text.down.none : session.text.down.done;
  session.print({ stopped: !none, manager: managed, orphans }, () => `${text}\n`);
}
