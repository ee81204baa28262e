import { openSync, renameSync, statSync } from 'node:fs';

/**
 * Opens the file that takes what a process prints outside its log, and gives its descriptor. What stands
 * there beyond `maxBytes` moves to `<path>.1` first.
 */
export function openRawOutput(path: string, maxBytes: number): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxBytes) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}
