import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ProcessRecord, processRecord } from '../protocol/process.ts';
import type { StateFolder } from '../protocol/state-folder.ts';
import { isSameProcess } from '../telemetry/process-identity.ts';

/** A process of this tree that is alive by its record. */
export interface LivingProcess {
  readonly record: ProcessRecord;
  /** `process` is one of the manager's children, `sandbox` what a servant runs. */
  readonly kind: 'process' | 'sandbox';
}

function readRecord(path: string): ProcessRecord | undefined {
  try {
    return processRecord.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Records are written atomically; what cannot be read is none of ours and proves nothing.
    return undefined;
  }
}

/** Lists the processes of a tree that still live, by pid, start time and boot, never by name. */
export function findLivingProcesses(folder: StateFolder): LivingProcess[] {
  let files: string[];
  try {
    files = readdirSync(folder.run);
  } catch {
    return [];
  }
  return files.flatMap((file): LivingProcess[] => {
    const match = /^(.+)\.(process|sandbox)\.json$/.exec(basename(file));
    const [, name, kind] = match ?? [];
    if (name === undefined) return [];
    const record = readRecord(kind === 'process' ? folder.processRecord(name) : folder.sandboxRecord(name));
    return record !== undefined && isSameProcess(record)
      ? [{ record, kind: kind as LivingProcess['kind'] }]
      : [];
  });
}

/** Reads the id of the tree; the empty string where none was ever started. */
export function readTreeId(folder: StateFolder): string {
  try {
    const { id } = JSON.parse(readFileSync(folder.tree, 'utf8')) as { id?: unknown };
    return typeof id === 'string' ? id : '';
  } catch {
    return '';
  }
}
