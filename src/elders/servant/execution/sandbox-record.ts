import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { uptime } from 'node:os';
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
 * Puts a record in its place, whole or not at all. It is not synced: what it names does not outlive a loss of power, after
 * which a record may be torn, and `readSandboxRecord` knows that by its age. Synchronous, because eight trips through the
 * thread pool cost more than the writing. Throws the system's error.
 */
export function writeSandboxRecord(path: string, record: SandboxRecord): void {
  const draft = `${path}.draft`;
  writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/** Removes a record, if there is one. */
export function removeSandboxRecord(path: string): void {
  rmSync(path, { force: true });
}

/**
 * Reads a record; `undefined` if there is none, or one that a loss of power tore. Throws `internal` if what is there is no
 * record although it was written since this host was started.
 */
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
    const { mtimeMs } = await stat(path);
    if (mtimeMs < Date.now() - uptime() * 1_000) return undefined;
    throw new ElderError('internal', `${path} is no record of a sandbox`, { cause: error });
  }
}
