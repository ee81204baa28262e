import { readdir, readFile, rm } from 'node:fs/promises';
import { type ProcessRecord, processRecord } from '../../protocol/process.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { writeFileAtomic } from '../atomic-file.ts';

const suffix = '.process.json';

/** Notes on disk which process plays a name. */
export async function saveProcessRecord(folder: StateFolder, record: ProcessRecord): Promise<void> {
  // It speaks of a process of this boot: when the power fails there is nothing left that it could be about.
  await writeFileAtomic(folder.processRecord(record.name), JSON.stringify(record), { sync: false });
}

/** Removes the note about a name; it is no error when there is none. */
export async function removeProcessRecord(folder: StateFolder, name: string): Promise<void> {
  await rm(folder.processRecord(name), { force: true });
}

/** Reads the notes about all processes, by name; one that cannot be read proves nothing and is left out. */
export async function loadProcessRecords(folder: StateFolder): Promise<Map<string, ProcessRecord>> {
  const records = new Map<string, ProcessRecord>();
  for (const file of await readdir(folder.run)) {
    if (!file.endsWith(suffix)) continue;
    const name = file.slice(0, -suffix.length);
    try {
      const record = processRecord.parse(JSON.parse(await readFile(folder.processRecord(name), 'utf8')));
      if (record.name === name) records.set(name, record);
    } catch {
      // Written atomically, so a damaged note was not written by us.
    }
  }
  return records;
}
