import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Why a file is not in the index. */
export type Reason =
  | 'binary'
  | 'too_large'
  | 'unreadable'
  | 'changing'
  | 'secret'
  | 'gone'
  | 'not_a_file'
  | 'failed';

/** The bytes of a file, or why there are none. */
export type FileBytes =
  | { readonly ok: true; readonly bytes: Buffer; readonly mark: string }
  | { readonly ok: false; readonly reason: Reason; readonly detail: string; readonly mark: string };

const tries = 3;
/** The clock of a file system moves in steps; within one, a write may leave size and times as they are (ms). */
const clockStepMs = 50;

/** Tells one state of a file from the next: size and times, which a write changes. */
export function markOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}`;
}

/** What an error of the file system means for the index. */
export function reasonOf(error: unknown): { reason: Reason; detail: string } {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { reason: 'gone', detail: code };
  // A link took the place of the file between the look at the folder and now.
  if (code === 'ELOOP') return { reason: 'not_a_file', detail: 'a symbolic link' };
  return { reason: 'unreadable', detail: code || message };
}

async function readOpen(handle: FileHandle, maxBytes: number): Promise<FileBytes> {
  let mark = '';
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const begun = Date.now();
    const before = await handle.stat({ bigint: true });
    mark = markOf(before);
    if (!before.isFile()) return { ok: false, reason: 'not_a_file', detail: '', mark };
    if (before.size > maxBytes) {
      return { ok: false, reason: 'too_large', detail: `${before.size} bytes`, mark };
    }
    const bytes = Buffer.alloc(Number(before.size));
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    const after = await handle.stat({ bigint: true });
    const age = begun - Number(after.ctimeMs);
    // Where it is from the future, clocks differ, and nothing tells its age.
    const isFresh = age > -1_000 && age < clockStepMs;
    if (markOf(after) === mark && at === bytes.length && !isFresh) return { ok: true, bytes, mark };
    if (isFresh) await delay(clockStepMs);
  }
  return { ok: false, reason: 'changing', detail: 'it was written while it was read', mark };
}

/** Reads a whole file of at most `maxBytes`, never through a link, and never half of one state and half of another. */
export async function readWhole(path: string, maxBytes: number): Promise<FileBytes> {
  let handle: FileHandle | undefined;
  try {
    // A pipe must not hold the reader.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return await readOpen(handle, maxBytes);
  } catch (error) {
    return { ok: false, ...reasonOf(error), mark: '' };
  } finally {
    await handle?.close();
  }
}
