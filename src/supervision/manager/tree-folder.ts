import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sandboxNote } from '../../protocol/process.ts';
import { type StateFolder, stateFolder } from '../../protocol/state-folder.ts';
import { endMarkedProcesses } from '../../telemetry/marked-processes.ts';
import { removeSandboxGroups, removeSocketFolders } from '../../telemetry/sandbox-leftovers.ts';

/** The kernel needs this long at most to end a process by SIGKILL, unless its disk hangs, ms. */
const killMs = 10_000;

/** Makes the state folder of a project, open to its owner only and ignored by git. */
export async function prepareTreeFolder(project: string): Promise<StateFolder> {
  const folder = stateFolder(project);
  const { root, run, log, secret, output, index, gatewaySocket } = folder;
  for (const path of [root, run, log, secret, output, index, dirname(gatewaySocket)]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  }
  await writeFile(join(folder.root, '.gitignore'), '*\n', { mode: 0o600 });
  return folder;
}

/** Ends what the sandbox of a servant left behind, and removes the note about it. Throws `timed_out` if it stays. */
export async function endSandbox(folder: StateFolder, servant: string): Promise<void> {
  const path = folder.sandboxRecord(servant);
  const note = sandboxNote.safeParse(await readJson(path));
  if (note.success) {
    const { mark, kind } = note.data;
    await endMarkedProcesses(mark, { groups: kind === 'none', deadlineMs: killMs });
    removeSandboxGroups(mark);
  }
  removeSocketFolders(path);
  await rm(path, { force: true });
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // No note, or one that says nothing: nothing of ours can be told from it.
    return undefined;
  }
}
