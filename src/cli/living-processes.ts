import { readdirSync, readFileSync } from 'node:fs';
import {
  type ProcessIdentity,
  type ProcessRecord,
  processIdentity,
  processRecord,
} from '../protocol/process.ts';
import type { StateFolder } from '../protocol/state-folder.ts';
import { isSameProcess } from '../telemetry/process-identity.ts';

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

function readRecord(folder: StateFolder, file: string): LivingProcess | undefined {
  const [, name, kind] = /^(.+)\.(process|sandbox)\.json$/.exec(file) ?? [];
  if (name === undefined) return undefined;
  if (kind === 'process') {
    const record = processRecord.safeParse(readJson(folder.processRecord(name)));
    return record.success ? { kind, name, identity: record.data } : undefined;
  }
  const record = processIdentity.safeParse(readJson(folder.sandboxRecord(name)));
  return record.success ? { kind: 'sandbox', name, identity: record.data } : undefined;
}

/** Lists the processes of a tree that still live, by pid, start time and boot, never by name. */
export function findLivingProcesses(folder: StateFolder): LivingProcess[] {
  let files: string[];
  try {
    files = readdirSync(folder.run);
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    const found = readRecord(folder, file);
    return found !== undefined && isSameProcess(found.identity) ? [found] : [];
  });
}

/** Reads the id of the tree; the empty string where none was ever started. */
export function readTreeId(folder: StateFolder): string {
  const tree = readJson(folder.tree) as { id?: unknown } | undefined;
  return typeof tree?.id === 'string' ? tree.id : '';
}
