import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { CommitNote } from '../agent-options.ts';

/** Digits enough for any number, so that a longer text is never left behind a shorter one. */
const width = 16;

/**
 * Keeps the number of the last commit in a file. It is not synced: a process that dies loses nothing of it, and
 * where power goes it may be behind, never ahead of what Redis had acknowledged.
 */
export class CommitNoteFile implements CommitNote {
  readonly #path: string;
  readonly #onError: (error: unknown) => void;
  #file: number | null = null;
  #failed = false;

  /** `onError` is told once when nothing can be noted, such as on a full disk: the work goes on without. */
  constructor(path: string, onError: (error: unknown) => void) {
    this.#path = path;
    this.#onError = onError;
  }

  read(): number {
    try {
      const number = Number(readFileSync(this.#path, 'latin1'));
      return Number.isSafeInteger(number) ? number : 0;
    } catch {
      // None yet: a new elder, or a state folder that is new.
      return 0;
    }
  }

  write(number: number): void {
    if (this.#failed) return;
    try {
      this.#file ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
      writeSync(this.#file, String(number).padStart(width), 0, 'latin1');
    } catch (error) {
      this.#failed = true;
      this.#onError(error);
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    this.#failed = true;
  }
}
