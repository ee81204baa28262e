import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import type { AttemptProgress } from '../../../protocol/directive.ts';
import { openPlain, taskFileNames } from './task-files.ts';

/** Ms between two tellings, however often a command writes. */
const tellMs = 1_000;
const readBytes = 4_096;

/** Reads the last whole line of what a command wrote: `3/10 text`, `40% text`, or a text alone. */
export function parseProgress(text: string, at: number): AttemptProgress | undefined {
  const line = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .findLast((candidate) => candidate.trim() !== '');
  if (line === undefined) return undefined;
  const found = /^\s*(\d{1,12}(?:\.\d{1,6})?)\s*(?:\/\s*(\d{1,12}(?:\.\d{1,6})?)|(%))\s*(.*)$/.exec(line);
  if (!found) return { done: null, total: null, text: line.trim().slice(0, 200), at };
  const total = found[3] === '%' ? 100 : Number(found[2]);
  return { done: Number(found[1]), total, text: (found[4] ?? '').trim().slice(0, 200), at };
}

async function readEnd(path: string): Promise<string> {
  const file = await openPlain(path);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(readBytes),
      position: Math.max(0, size - readBytes),
    });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Tells what a command writes to its progress file, at most once a second, until the returned function is called. */
export function followProgress(folder: string, onProgress: (progress: AttemptProgress) => void): () => void {
  const path = join(folder, taskFileNames.progress);
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  let stopped = false;
  const tell = async () => {
    last = Date.now();
    const progress = parseProgress(await readEnd(path).catch(() => ''), Date.now());
    if (progress !== undefined && !stopped) onProgress(progress);
  };
  const onChange = (_: string, name: string | null) => {
    if (name !== taskFileNames.progress || timer !== undefined) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        void tell();
      },
      Math.max(0, last + tellMs - Date.now()),
    );
  };
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(folder, onChange);
    // Where the host has no watch left, a command has no progress; it runs all the same.
    watcher.on('error', () => watcher?.close());
  } catch {}
  // What was written before.
  void tell();
  return () => {
    stopped = true;
    clearTimeout(timer);
    watcher?.close();
  };
}
