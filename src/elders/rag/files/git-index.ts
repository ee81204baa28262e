import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Repository } from './repository.ts';

/** Bytes of an entry before its path: times, numbers, mode, size (40), the id of the content (20), flags (2). */
const beforePath = 62;
const flagBytes = 2;
const idBytes = 20;
/** Length of a path in the flags, where it fits. */
const lengthMask = 0xfff;
const fileModes = new Set([0o100644, 0o100755]);

/** The list that git keeps of the files it tracks, read as a file: git itself need not be there. */
export class GitIndex {
  readonly #repository: Repository;
  #mark = '';
  #bytes: Buffer | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** The id of the content that git tracks for a file; null when it does not track it, undefined when that cannot be told. */
  blobOf(path: string): string | null | undefined {
    const bytes = this.#read();
    // Version 4 shares the beginnings of paths, which this does not take apart.
    if (bytes === undefined || bytes.readUInt32BE(4) > 3) return undefined;
    const name = Buffer.from(`${relative(this.#repository.root, path).split(sep).join('/')}\0`);
    for (let at = bytes.indexOf(name, 12); at !== -1; at = bytes.indexOf(name, at + 1)) {
      const start = at - beforePath;
      if (start < 12) continue;
      const length = bytes.readUInt16BE(at - flagBytes) & lengthMask;
      if (length !== Math.min(name.length - 1, lengthMask) || !fileModes.has(bytes.readUInt32BE(start + 24)))
        continue;
      return bytes.toString('hex', at - flagBytes - idBytes, at - flagBytes);
    }
    return this.#isSplit() ? undefined : null;
  }

  #read(): Buffer | undefined {
    const path = join(this.#repository.gitFolder, 'index');
    try {
      const { size, mtimeMs, ino } = statSync(path);
      const mark = `${size}:${mtimeMs}:${ino}`;
      if (mark === this.#mark) return this.#bytes;
      const bytes = readFileSync(path);
      this.#bytes = bytes.length > 12 && bytes.toString('latin1', 0, 4) === 'DIRC' ? bytes : undefined;
      this.#mark = mark;
    } catch {
      this.#bytes = undefined;
      this.#mark = '';
    }
    return this.#bytes;
  }

  /** Whether other files hold a part of the list. */
  #isSplit(): boolean {
    try {
      return readdirSync(this.#repository.gitFolder).some((name) => name.startsWith('sharedindex.'));
    } catch {
      return true;
    }
  }
}
