import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Replaced by empty folders: what they hold is other programs' business, or a way to them (sockets). */
export const emptied = [
  ...['/tmp', '/var/tmp', '/run', '/var/run'],
  ...['/var/spool', '/var/mail', '/var/log', '/var/backups', '/etc/ssl/private', '/etc/sudoers.d'],
];

/** Folders below `/` that belong to the system; any other holds somebody's data. */
const systemFolders = new Set(
  ['bin', 'boot', 'dev', 'etc', 'gnu', 'lib', 'lib32', 'lib64', 'libx32', 'nix', 'opt', 'proc', 'run', 'sbin']
    .concat(['snap', 'sys', 'tmp', 'usr', 'var'])
    .map((name) => `/${name}`),
);

/** Replaced by empty folders besides the user's own home: the homes, and whatever else stands below `/`. */
export function foreignFolders(): string[] {
  return readdirSync('/')
    .map((name) => `/${name}`)
    .filter((path) => !systemFolders.has(path) && isFolder(path));
}

/** Files of the system that only root may read, which a command of root's is not to know either. */
export function rootOnlyFiles(): string[] {
  if (process.geteuid?.() !== 0) return [];
  return ['/etc', '/etc/ssh'].flatMap(closedFiles);
}

function closedFiles(folder: string): string[] {
  if (!isFolder(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => {
      const found = lstatSync(path, { throwIfNoEntry: false });
      return found?.isFile() === true && (found.mode & 0o004) === 0;
    });
}

/** A link is not mounted on: its target is hidden under its own name where it needs to be. */
export function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
