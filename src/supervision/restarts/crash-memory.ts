import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { fileName } from '../../protocol/file-name.ts';
import { pastError } from '../../protocol/local-api.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { writeFileAtomic } from '../atomic-file.ts';

const crashFile = z.object({
  restarts: z.int().min(0),
  crashes: z.array(z.number()),
  errors: z.array(pastError).readonly().optional(),
});
/** How often a process was restarted, when (ms since the epoch) it crashed lately, and its last errors, the oldest first. */
export type CrashHistory = z.infer<typeof crashFile>;

function pathOf(folder: StateFolder, name: string): string {
  return join(folder.run, `${fileName(name)}.crashes.json`);
}

/** Reads what an earlier manager remembered of a process, so that a crash loop survives the death of managers. */
export async function loadCrashHistory(folder: StateFolder, name: string): Promise<CrashHistory> {
  try {
    return crashFile.parse(JSON.parse(await readFile(pathOf(folder, name), 'utf8')));
  } catch {
    return { restarts: 0, crashes: [] };
  }
}

/** Remembers the crashes of a process. */
export async function saveCrashHistory(
  folder: StateFolder,
  name: string,
  history: CrashHistory,
): Promise<void> {
  await writeFileAtomic(pathOf(folder, name), JSON.stringify(history));
}

/** Forgets the crashes of a process, because somebody stopped it on purpose. */
export async function removeCrashHistory(folder: StateFolder, name: string): Promise<void> {
  await rm(pathOf(folder, name), { force: true });
}
