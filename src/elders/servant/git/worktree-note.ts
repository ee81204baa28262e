import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ElderError } from '../../../protocol/errors.ts';
import { fileName } from '../../../protocol/file-name.ts';

const worktreeNote = z.object({
  directiveId: z.string(),
  taskId: z.string(),
  attempt: z.int(),
  /** The folder that the directive names. */
  workspace: z.string(),
  branch: z.string(),
  /** The commit that the work began from. */
  base: z.string(),
  /** Git's data of this work tree; empty while it is being made. */
  gitFolder: z.string(),
});

/** What is known of a worktree besides its files; it stands beside them, out of the reach of commands. */
export type WorktreeNote = z.infer<typeof worktreeNote>;

/** Where the worktree of an attempt lies. Throws `malformed` for an id that could lead elsewhere. */
export function worktreePlace(
  folder: string,
  { directiveId, taskId, attempt }: Pick<WorktreeNote, 'directiveId' | 'taskId' | 'attempt'>,
) {
  if (!Number.isSafeInteger(attempt) || attempt < 1)
    throw new ElderError('malformed', `${attempt} is not the number of an attempt`);
  const home = join(folder, fileName(directiveId), `${fileName(taskId)}@${attempt}`);
  return { home, tree: join(home, 'tree'), note: join(home, 'note.json') };
}

/** Writes a note, whole or not at all. */
export async function writeNote(path: string, note: WorktreeNote): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(note)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Finds all worktrees that stand below a folder; what has no note is none. */
export async function listNotes(
  folder: string,
): Promise<{ note: WorktreeNote; home: string; tree: string }[]> {
  const names = (path: string) => readdir(path).catch(() => [] as string[]);
  const found: { note: WorktreeNote; home: string; tree: string }[] = [];
  for (const directive of (await names(folder)).sort()) {
    for (const name of (await names(join(folder, directive))).sort()) {
      const home = join(folder, directive, name);
      const text = await readFile(join(home, 'note.json'), 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      found.push({ note: worktreeNote.parse(JSON.parse(text)), home, tree: join(home, 'tree') });
    }
  }
  return found;
}
