import { readdirSync, readFileSync } from 'node:fs';
import {
  type ProcessIdentity,
  type ProcessRecord,
  processRecord,
  sandboxNote,
} from '../../protocol/process.ts';
import { isServant } from '../../protocol/roster.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { findMarkedProcesses } from '../../telemetry/marked-processes.ts';
import { isSameProcess } from '../../telemetry/process-identity.ts';

/** A process of this tree that lives, by the record that was left of it. */
export type LivingProcess =
  /** A child of the manager's. */
  | { readonly kind: 'process'; readonly name: string; readonly identity: ProcessRecord }
  /** What a servant of this name runs. */
  | { readonly kind: 'sandbox'; readonly name: string; readonly identity: ProcessIdentity };

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Records are written atomically; what cannot be read is none of ours and proves nothing.
    return undefined;
  }
}

function livingOf(folder: StateFolder, file: string): LivingProcess[] {
  const name = /^(.+)\.process\.json$/.exec(file)?.[1];
  if (name !== undefined) {
    const record = processRecord.safeParse(readJson(folder.processRecord(name)));
    if (!record.success || !isSameProcess(record.data)) return [];
    return [{ kind: 'process', name, identity: record.data }];
  }
  return isServant(file) ? livingSandbox(folder, file) : [];
}

function livingSandbox(folder: StateFolder, name: string): LivingProcess[] {
  const note = sandboxNote.safeParse(readJson(folder.sandboxRecord(name)));
  const identity = note.success ? findMarkedProcesses(note.data.mark)[0] : undefined;
  return identity === undefined ? [] : [{ kind: 'sandbox', name, identity }];
}

/** Lists the processes of a tree that still live, by pid, start time and boot or by their mark, never by name. */
export function findLivingProcesses(folder: StateFolder): LivingProcess[] {
  let files: string[];
  try {
    files = readdirSync(folder.run);
  } catch {
    return [];
  }
  return files.flatMap((file) => livingOf(folder, file));
}

/** Reads the id of the tree; the empty string where none was ever started. */
export function readTreeId(folder: StateFolder): string {
  const tree = readJson(folder.tree) as { id?: unknown } | undefined;
  return typeof tree?.id === 'string' ? tree.id : '';
}
