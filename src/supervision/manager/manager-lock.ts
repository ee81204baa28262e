import { chmodSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ElderError } from '../../protocol/errors.ts';
import { type ProcessIdentity, processIdentity } from '../../protocol/process.ts';

// The note is a file of its own: reading the locked file and closing it again would drop the lock, because
// POSIX locks belong to a process and a file, not to a descriptor.
/** Gives the path of the note about who holds the lock at `path`; its holder touches it. */
export function noteOf(path: string): string {
  return `${path}.json`;
}

/** Reads who holds the lock at `path`; `null` where nobody does or it cannot be told. */
export function readHolder(path: string): ProcessIdentity | null {
  try {
    return processIdentity.parse(JSON.parse(readFileSync(noteOf(path), 'utf8')));
  } catch {
    return null;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}

/** The right to manage a tree; the kernel frees it however the process ends. */
export class ManagerLock {
  readonly #database: DatabaseSync;
  readonly #path: string;
  /** When (ms since the epoch) a holder before, that could not give it back, was last known to live; `null` if there was none. */
  readonly lastHeld: number | null;

  private constructor(database: DatabaseSync, path: string, lastHeld: number | null) {
    this.#database = database;
    this.#path = path;
    this.lastHeld = lastHeld;
  }

  /** Takes the lock at `path` for `holder`. Throws `already_running`, naming who holds it. */
  static take(path: string, holder: ProcessIdentity): ManagerLock {
    const database = new DatabaseSync(path, { timeout: 0 });
    chmodSync(path, 0o600);
    try {
      database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      if (!isBusy(error)) throw error;
      const other = readHolder(path);
      const who = other === null ? 'another manager' : `the manager with pid ${other.pid}`;
      throw new ElderError('already_running', `${who} holds ${path}`, {
        detail: { pid: other?.pid ?? null },
      });
    }
    const lastHeld = statSync(noteOf(path), { throwIfNoEntry: false })?.mtimeMs ?? null;
    writeFileSync(noteOf(path), JSON.stringify(holder), { mode: 0o600 });
    return new ManagerLock(database, path, lastHeld);
  }

  /** Shows until the signal aborts, every `interval` ms, that its holder lives, for one that comes after it. */
  showLife(interval: number, signal: AbortSignal): void {
    const timer = setInterval(() => this.#touch(), interval);
    timer.unref();
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  #touch(): void {
    const now = new Date();
    try {
      utimesSync(noteOf(this.#path), now, now);
    } catch {
      // Somebody has removed the note; the lock itself is not in danger.
    }
  }

  /** Gives the lock back. The locked file stays: removing it would let two managers lock two files of one name. */
  release(): void {
    rmSync(noteOf(this.#path), { force: true });
    this.#database.close();
  }
}
