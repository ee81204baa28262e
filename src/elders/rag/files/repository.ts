import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The git repository that a folder lies in. */
export interface Repository {
  readonly root: string;
  /** Its `.git`, also where that is a file that names another folder. */
  readonly gitFolder: string;
}

/** Finds the repository around a folder; undefined when there is none to be seen. */
export function findRepository(folder: string): Repository | undefined {
  try {
    return lookForRepository(folder);
  } catch {
    // The folders around what may be read are closed.
    return undefined;
  }
}

function lookForRepository(folder: string): Repository | undefined {
  for (let root = folder; ; root = dirname(root)) {
    const path = join(root, '.git');
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory()) return { root, gitFolder: path };
    if (stats?.isFile()) {
      const target = /^gitdir: (.+)$/mu.exec(readFileSync(path, 'utf8'))?.[1];
      return target === undefined ? undefined : { root, gitFolder: resolve(root, target) };
    }
    if (dirname(root) === root) return undefined;
  }
}

/** The commit that is checked out, without git; null before the first one or where it cannot be read. */
export function headCommit({ gitFolder }: Repository): string | null {
  try {
    const head = readFileSync(join(gitFolder, 'HEAD'), 'utf8').trim();
    const name = /^ref: (.+)$/u.exec(head)?.[1];
    if (name === undefined) return head;
    const common = commonFolder(gitFolder);
    for (const folder of [gitFolder, common]) {
      const path = join(folder, name);
      if (existsSync(path)) return readFileSync(path, 'utf8').trim();
    }
    const packed = readFileSync(join(common, 'packed-refs'), 'utf8').split('\n');
    return packed.find((line) => line.endsWith(` ${name}`))?.split(' ')[0] ?? null;
  } catch {
    return null;
  }
}

/** A worktree keeps its branches in the folder of the repository that it belongs to. */
function commonFolder(gitFolder: string): string {
  const path = join(gitFolder, 'commondir');
  return existsSync(path) ? resolve(gitFolder, readFileSync(path, 'utf8').trim()) : gitFolder;
}
