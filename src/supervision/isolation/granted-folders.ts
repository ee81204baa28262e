import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { StateFolder } from '../../protocol/state-folder.ts';

/**
 * Reads which folders outside of the project the human has given the RAG sage to read. No elder can write that list.
 * Folders that are gone are left out: what does not exist cannot be shown.
 */
export function grantedFolders(folder: StateFolder): string[] {
  try {
    const listed: unknown = JSON.parse(readFileSync(folder.granted, 'utf8'));
    if (!Array.isArray(listed)) return [];
    return listed.filter(
      (path): path is string => typeof path === 'string' && isAbsolute(path) && existsSync(path),
    );
  } catch {
    return [];
  }
}
