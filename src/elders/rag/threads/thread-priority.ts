import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Lets other threads of this machine go first, so that questions are answered while files are indexed. */
export function yieldToOthers(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, 10);
  } catch {
    // Only Linux has priorities of single threads.
  }
}
