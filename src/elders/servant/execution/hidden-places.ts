import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isFolder } from '../../../telemetry/host-folders.ts';

/** Replaced by empty folders: what they hold is other programs' business, or a way to them (sockets). */
export const emptied = [
  ...['/tmp', '/var/tmp', '/run', '/var/run'],
  ...['/var/spool', '/var/mail', '/var/log', '/var/backups', '/etc/ssl/private', '/etc/sudoers.d'],
];

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
