import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { configFileName } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';

/** Where a tree lives and the file that configures it, if there is one. */
export interface Project {
  readonly folder: string;
  readonly file: string | null;
}

function* upward(from: string): Generator<string> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    yield folder;
    if (folder === dirname(folder)) return;
  }
}

/** What another user put into a folder that everybody may write, such as /tmp, decides nothing here. */
function isOurs(folder: string, path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const shared = (statSync(folder).mode & 0o002) !== 0;
  return !shared || process.getuid === undefined || found.uid === process.getuid();
}

/** Takes this very folder as the project. Throws `usage` if it is none. */
export function projectAt(folder: string): Project {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ElderError('usage', `--project: ${folder} is not a folder`);
  }
  const file = join(folder, configFileName);
  return { folder, file: existsSync(file) ? file : null };
}

/**
 * Finds the project of a working folder: the nearest folder upward with `elders.yaml`, else the nearest one that
 * has a tree's state, else the working folder itself.
 */
export function findProject(cwd: string): Project {
  for (const folder of upward(cwd)) {
    const file = join(folder, configFileName);
    if (isOurs(folder, file)) return { folder, file };
  }
  for (const folder of upward(cwd))
    if (isOurs(folder, join(folder, '.elders'))) return { folder, file: null };
  return { folder: resolve(cwd), file: null };
}
