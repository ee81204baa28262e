import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';

/** A line of more bytes than this is shown in pieces. */
export const maxLineBytes = 1_048_576;

/** Tells whether a path is a file of its own: a process could leave a link to another, or a pipe, among its logs. */
export function isPlainFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Opens a file for reading, but follows no link and waits for no pipe. Throws the system's error. */
export function openPlainFile(path: string): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new Error(`${path} is not a file`);
}
