import { closeSync, type FSWatcher, fstatSync, readSync, statSync, watch } from 'node:fs';
import { findLogFolders, findLogs, rotations } from './log-files.ts';
import { type LogLine, parseLogLine } from './log-lines.ts';
import { maxLineBytes, openPlainFile } from './open-log.ts';

const blockBytes = 65_536;

/** Reads what is appended to one file, and goes on in its successor when it is rotated. */
class Tail {
  readonly #name: string;
  readonly #path: string;
  #fd: number;
  #inode: number;
  #offset: number;
  #rest = Buffer.alloc(0);

  constructor(name: string, path: string, from: 'start' | 'end') {
    this.#name = name;
    this.#path = path;
    this.#fd = openPlainFile(path);
    const { ino, size } = fstatSync(this.#fd);
    this.#inode = ino;
    this.#offset = from === 'end' ? size : 0;
  }

  *read(): Generator<LogLine> {
    yield* this.#readOpenFile();
    const files = rotations(this.#path);
    const at = files.findIndex((file) => statSync(file, { throwIfNoEntry: false })?.ino === this.#inode);
    // Rotated more than once since the last look: what came between is read as well.
    const newer = at < 0 ? files.slice(0, 1) : files.slice(0, at);
    for (const file of newer.reverse()) {
      if (!this.#open(file)) return;
      yield* this.#readOpenFile();
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #open(file: string): boolean {
    let fd: number;
    try {
      fd = openPlainFile(file);
    } catch {
      // Between two renames; the next event finds it.
      return false;
    }
    closeSync(this.#fd);
    this.#fd = fd;
    this.#inode = fstatSync(fd).ino;
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    return true;
  }

  *#readOpenFile(): Generator<LogLine> {
    const block = Buffer.alloc(blockBytes);
    for (;;) {
      const length = readSync(this.#fd, block, 0, blockBytes, this.#offset);
      if (length === 0) return;
      this.#offset += length;
      let chunk = Buffer.concat([this.#rest, block.subarray(0, length)]);
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10)) {
        const text = chunk.subarray(0, at).toString('utf8');
        chunk = chunk.subarray(at + 1);
        if (text !== '') yield parseLogLine(text, this.#name, Date.now());
      }
      this.#rest = chunk;
      if (chunk.length > maxLineBytes) {
        yield parseLogLine(chunk.toString('utf8'), this.#name, Date.now());
        this.#rest = Buffer.alloc(0);
      }
    }
  }
}

/** What is followed. */
export interface FollowOptions {
  readonly folder: string;
  /** Empty means all processes, those that come later included. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Follows the logs in a folder from now on; the kernel tells of changes, nothing is polled. Returns at once:
 * the watch stands before anything else is read, so no line is missed; the lines come by the generator.
 */
export function followLogs({ folder, names, signal }: FollowOptions): AsyncGenerator<LogLine, void> {
  const tails = new Map<string, Tail>();
  let wake = Promise.withResolvers<void>();
  const watchers = new Map<string, FSWatcher>();
  const watchAll = () => {
    for (const path of [folder, ...findLogFolders(folder)]) {
      // A watch follows the folder, not its path: a spare that becomes an elder brings a folder of its own.
      const key = `${statSync(path, { throwIfNoEntry: false })?.ino}:${path}`;
      if (watchers.has(key)) continue;
      try {
        watchers.set(
          key,
          watch(path, () => wake.resolve()),
        );
      } catch {
        // Gone again; the change of the folder around it wakes us once more.
      }
    }
  };
  watchAll();
  for (const { name, path } of findLogs(folder, names)) tails.set(path, new Tail(name, path, 'end'));
  const close = () => {
    for (const watcher of watchers.values()) watcher.close();
  };
  const stop = () => {
    close();
    wake.resolve();
  };
  signal.addEventListener('abort', stop, { once: true });

  async function* lines(): AsyncGenerator<LogLine, void> {
    try {
      while (!signal.aborted) {
        await wake.promise;
        wake = Promise.withResolvers<void>();
        if (!signal.aborted) watchAll();
        for (const { name, path } of findLogs(folder, names)) {
          if (!tails.has(path)) tails.set(path, new Tail(name, path, 'start'));
        }
        for (const tail of tails.values()) yield* tail.read();
      }
    } finally {
      close();
      signal.removeEventListener('abort', stop);
      for (const tail of tails.values()) tail.close();
    }
  }
  return lines();
}
