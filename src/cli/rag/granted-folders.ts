import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { StateFolder } from '../../protocol/state-folder.ts';

function read({ granted }: StateFolder): string[] {
  if (!existsSync(granted)) return [];
  const listed: unknown = JSON.parse(readFileSync(granted, 'utf8'));
  return Array.isArray(listed) ? listed.filter((path): path is string => typeof path === 'string') : [];
}

function write({ granted }: StateFolder, paths: readonly string[]): void {
  const next = `${granted}.next`;
  writeFileSync(next, `${JSON.stringify(paths, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, granted);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** Notes that the RAG sage may read a folder outside of the project; false when it may already. */
export function grantFolder(folder: StateFolder, path: string): boolean {
  const known = read(folder);
  if ([folder.project, ...known].some((each) => isBelow(path, each))) return false;
  write(folder, [...known, path]);
  return true;
}

/** Takes that back. */
export function withdrawFolder(folder: StateFolder, path: string): void {
  const known = read(folder);
  if (known.includes(path))
    write(
      folder,
      known.filter((each) => each !== path),
    );
}
