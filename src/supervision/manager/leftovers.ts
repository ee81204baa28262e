import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isServant } from '../../protocol/roster.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { isSameProcess } from '../../telemetry/process-identity.ts';
import { loadProcessRecords, removeProcessRecord } from '../elders/process-records.ts';
import { removeCrashHistory } from '../restarts/crash-memory.ts';
import { ServantRoll } from '../scaling/servant-roll.ts';
import { recoverHomes } from '../spares/spare-folders.ts';
import { endSandbox } from './tree-folder.ts';

const crashNotes = /^(.+)\.crashes\.json$/;
/** What is written beside a file before it takes its place, and what bubblewrap reports into. */
const halfWritten = /\.(tmp|report)$/;

/**
 * Removes what writers that were killed have left half written in the folder of the running processes. The
 * caller holds the manager's lock, and nothing has been started yet.
 */
export async function removeHalfWritten(folder: StateFolder): Promise<void> {
  const files = (await entries(folder.run)).filter((file) => halfWritten.test(file));
  await Promise.all(files.map((file) => rm(join(folder.run, file), { force: true })));
}

/**
 * Removes what a tree leaves behind whose manager was killed: records of processes that are gone, sockets, notes of
 * sandboxes and of crashes, homes of spares. The records of those that live stay. The caller holds the manager's lock.
 */
export async function removeLeftovers(folder: StateFolder): Promise<void> {
  await removeHalfWritten(folder);
  for (const [name, record] of await loadProcessRecords(folder)) {
    if (isSameProcess(record)) continue;
    await removeProcessRecord(folder, name);
  }
  const files = await entries(folder.run);
  const crashed = files.flatMap((file) => crashNotes.exec(file)?.[1] ?? []);
  await Promise.all(crashed.map((name) => removeCrashHistory(folder, name)));
  const servants = files.filter(isServant);
  await Promise.all(servants.map((name) => endSandbox(folder, name)));
  await recoverHomes(folder);
  await ServantRoll.forget(folder);
  await Promise.all([folder.managerSocket, folder.gatewaySocket].map((path) => rm(path, { force: true })));
}

async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
