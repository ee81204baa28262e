import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processIdentity } from '../protocol/process.ts';
import { type StateFolder, stateFolder } from '../protocol/state-folder.ts';
import { signalProcess } from '../telemetry/process-identity.ts';

/** Makes the state folder of a project, open to its owner only and ignored by git. */
export async function prepareTreeFolder(project: string): Promise<StateFolder> {
  const folder = stateFolder(project);
  for (const path of [folder.root, folder.run, folder.log, folder.secret, folder.output]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  }
  await writeFile(join(folder.root, '.gitignore'), '*\n', { mode: 0o600 });
  return folder;
}

/** Ends the sandbox that a servant left behind, if its very process still lives, and removes the note about it. */
export async function endSandbox(folder: StateFolder, servant: string): Promise<void> {
  const path = folder.sandboxRecord(servant);
  try {
    signalProcess(processIdentity.parse(JSON.parse(await readFile(path, 'utf8'))), 'SIGKILL');
  } catch {
    // No note, or one that names no process: nothing of ours can be told from it.
  }
  await rm(path, { force: true });
}
