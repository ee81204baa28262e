import { closeSync, constants, openSync, renameSync, writeSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { ElderError } from '../../../protocol/errors.ts';
import { sandboxNote } from '../../../protocol/process.ts';

/**
 * Which process tree a servant runs, and for which attempt. It is written before the first process of the tree
 * exists, so it names no pid: each of them has `mark` as an argument. Times are ms since the epoch.
 */
export const sandboxRecord = sandboxNote.extend({
  directiveId: z.string(),
  taskId: z.string(),
  attempt: z.int(),
  startedAt: z.number(),
});
export type SandboxRecord = z.infer<typeof sandboxRecord>;

/**
 * Puts a record on disk, whole or not at all. Nothing that it names outlives a loss of power, so what has to
 * be synced is the file (as it is written, since Node's permission model knows no `fsync`), lest a torn one be found, and not its folder. Synchronous, because eight trips through
 * the thread pool cost more than the writing. Throws the system's error.
 */
export function writeSandboxRecord(path: string, record: SandboxRecord): void {
  const draft = `${path}.draft`;
  const { O_WRONLY, O_CREAT, O_TRUNC, O_DSYNC } = constants;
  const file = openSync(draft, O_WRONLY | O_CREAT | O_TRUNC | O_DSYNC, 0o600);
  try {
    writeSync(file, `${JSON.stringify(record)}\n`);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
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
