import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';

import { dirname } from 'node:path';

/** How much of a log is kept. */
export interface LogFileOptions {
  readonly file: string;
  /** Size in bytes that a file does not pass, unless by a single line. */
  readonly maxBytes: number;
  /** Files kept, the current one included. */
  readonly files: number;
}

/**
 * A log file that rotates by size: NAME.log becomes NAME.log.1 and so on. A line is in the file when `write`
 * returns, so that none is lost however the process ends. While the disk refuses lines they are dropped:
 * a logger neither ends nor blocks the process whose story it tells.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  #fd: number | undefined;
  #size: number;
  #torn = false;
  #durable = false;

  /** Opens the file for appending, mode 0600, in a folder that is made where it is missing, mode 0700. Throws the error of the file system when that fails. */
  constructor(options: LogFileOptions) {
    this.#options = options;
    mkdirSync(dirname(options.file), { recursive: true, mode: 0o700 });
    this.#fd = openSync(options.file, 'a', 0o600);
    this.#size = statSync(options.file).size;
  }

  /** Appends one line, which ends with a newline; does nothing once the file is closed. */
  write(line: string): void {
    if (this.#fd === undefined) return;
    // After a line that was cut short by a full disk, the next must not be glued to its stump.
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
    if (this.#size > 0 && this.#size + bytes.length > this.#options.maxBytes) this.#rotate();
    const fd = this.#durable ? this.#openDurably() : this.#fd;
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
      this.#torn = false;
    } catch {
      this.#torn ||= written > 0;
    }
    this.#size += written;
    if (fd !== this.#fd) closeSync(fd);
  }

  /** What is written meanwhile is on the disk itself when this returns, as far as the disk takes it. */
  durably(write: () => void): void {
    this.#durable = true;
    try {
      write();
    } finally {
      this.#durable = false;
      this.flushSync();
    }
  }

  /** An elder may not call `fsync`: Node's permission model does not know which file it would be for. */
  #openDurably(): number {
    const { O_WRONLY, O_APPEND, O_DSYNC } = constants;
    try {
      return openSync(this.#options.file, O_WRONLY | O_APPEND | O_DSYNC);
    } catch {
      return this.#fd as number;
    }
  }

  /** Returns once everything written so far is on the disk itself, as far as the disk takes it. */
  flushSync(): void {
    if (this.#fd === undefined) return;
    try {
      fsyncSync(this.#fd);
    } catch {
      // Nothing better can be done with a log whose disk fails.
    }
  }

  /** Closes the file; closing it again does nothing. */
  close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    closeSync(fd);
  }

  #rotate(): void {
    const { file, files } = this.#options;
    try {
      rmSync(files === 1 ? file : `${file}.${files - 1}`, { force: true });
      for (let index = files - 2; index >= 0; index -= 1) {
        renameIfThere(index === 0 ? file : `${file}.${index}`, `${file}.${index + 1}`);
      }
      const next = openSync(file, 'a', 0o600);
      this.close();
      this.#fd = next;
    } catch {
      // The file goes on growing where it is, and rotation is tried again after as many bytes.
    }
    this.#size = 0;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
