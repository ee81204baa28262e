import { lstatSync, readdirSync } from 'node:fs';

/** Folders below `/` that belong to the system; any other holds somebody's data. */
const systemFolders = new Set(
  ['bin', 'boot', 'dev', 'etc', 'gnu', 'lib', 'lib32', 'lib64', 'libx32', 'nix', 'opt', 'proc', 'run', 'sbin']
    .concat(['snap', 'sys', 'tmp', 'usr', 'var'])
    .map((name) => `/${name}`),
);

/** Gives the folders below `/` that are not the system's: the homes, and wherever else people keep their data. */
export function foreignFolders(): string[] {
  return readdirSync('/')
    .map((name) => `/${name}`)
    .filter((path) => !systemFolders.has(path) && isFolder(path));
}

/** Whether a folder stands there; a link to one is none. */
export function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
