import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** Handshakes that are counted in one look; what is beyond them waits for the next. */
const windowBytes = 1_048_576;
const refusal = /Error accepting a client connection: (.*?)(?: \(conn: .*\))?(?: \(addr=.*\))?$/;

/**
 * Follows the log file of a managed Redis for connections that TLS refused: the ACL log knows nothing of them, since
 * nobody has logged in yet.
 */
export class RefusedHandshakes {
  readonly #path: string;
  #inode = 0;
  #offset = 0;
  #rest = '';

  /** Counts what comes after now. */
  constructor(path: string) {
    this.#path = path;
    const found = statSync(path, { throwIfNoEntry: false });
    this.#inode = found?.ino ?? 0;
    this.#offset = found?.size ?? 0;
  }

  /** Gives how often each reason was given since the last look. Throws when the file cannot be read. */
  take(): Map<string, number> {
    const counts = new Map<string, number>();
    if (statSync(this.#path, { throwIfNoEntry: false }) === undefined) return counts;
    const lines = `${this.#rest}${this.#read()}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const reason = refusal.exec(line)?.[1];
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return counts;
  }

  #read(): string {
    const descriptor = openSync(this.#path, 'r');
    try {
      const { ino, size } = fstatSync(descriptor);
      // A full log is moved away and begun anew when Redis starts.
      if (ino !== this.#inode || size < this.#offset) {
        this.#inode = ino;
        this.#offset = 0;
        this.#rest = '';
      }
      const buffer = Buffer.alloc(Math.min(windowBytes, size - this.#offset));
      const length = readSync(descriptor, buffer, 0, buffer.length, this.#offset);
      this.#offset += length;
      return buffer.toString('latin1', 0, length);
    } finally {
      closeSync(descriptor);
    }
  }
}
