import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Finds a `node` on PATH that is older than version 24; `undefined` where there is none. */
export function findOldNode(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .filter((node) => existsSync(node))
    .find((node) => {
      const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8', env: {} });
      const major = Number(/^v(\d+)\./.exec(stdout ?? '')?.[1] ?? Number.NaN);
      return major < 24;
    });
}
