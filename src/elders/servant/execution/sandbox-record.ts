import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { ElderError } from '../../../protocol/errors.ts';
import { processIdentity } from '../../../protocol/process.ts';

/**
 * Which process tree a servant runs: the identity of the process that all others die with (process 1 of a
 * sandbox) or of the leader of their group (`none`), and for which attempt. Times are ms since the epoch.
 */
export const sandboxRecord = processIdentity.extend({
  kind: z.enum(['bubblewrap', 'none']),
  directiveId: z.string(),
  taskId: z.string(),
  attempt: z.int(),
  startedAt: z.number(),
});
export type SandboxRecord = z.infer<typeof sandboxRecord>;

/** Puts a record on disk, whole or not at all; it is durable when this resolves. Throws the system's error. */
export async function writeSandboxRecord(path: string, record: SandboxRecord): Promise<void> {
  const draft = `${path}.draft`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(record)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Removes a record, if there is one. */
export async function removeSandboxRecord(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Reads a record; `undefined` if there is none. Throws `internal` if what is there is no record. */
export async function readSandboxRecord(path: string): Promise<SandboxRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return sandboxRecord.parse(JSON.parse(text));
  } catch (error) {
    throw new ElderError('internal', `${path} is no record of a sandbox`, { cause: error });
  }
}
