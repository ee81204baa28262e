import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Repository } from './repository.ts';

/** Bytes of an entry: times, numbers, mode, size; the id of the content; flags; then its path. */
const beforeId = 40;
const idBytes = 20;
const flagBytes = 2;
const beforePath = beforeId + idBytes + flagBytes;
const header = 12;
/** In the flags: two more bytes of them follow. */
const isExtended = 0x4000;
/** Length of a path in the flags, where it fits. */
const lengthMask = 0xfff;
const fileModes = new Set([0o100644, 0o100755]);
/** Paths that an answer is kept of. */
const mostLooked = 10_000;

/** Where the entry of a path begins in a list of version 2 or 3 (gitformat-index). */
function entryOf(bytes: Buffer, name: Buffer): number | undefined {
  const ended = Buffer.concat([name, Buffer.of(0)]);
  for (let at = bytes.indexOf(ended, header); at !== -1; at = bytes.indexOf(ended, at + 1)) {
    for (const flags of [flagBytes, 2 * flagBytes]) {
      const start = at - beforePath - flags + flagBytes;
      if (start < header) continue;
      const first = bytes.readUInt16BE(start + beforeId + idBytes);
      const hasMore = (first & isExtended) !== 0;
      if (hasMore !== flags > flagBytes || (first & lengthMask) !== Math.min(name.length, lengthMask))
        continue;
      if (fileModes.has(bytes.readUInt32BE(start + 24))) return start;
    }
  }
  return undefined;
}

/** The same in a list of version 4, where a path says how much of the one before it leaves out, and what follows. */
function entryOfShared(bytes: Buffer, name: Buffer): number | undefined {
  let path: Buffer = Buffer.alloc(0);
  let at = header;
  for (let left = bytes.readUInt32BE(8); left > 0; left -= 1) {
    const start = at;
    const flags = bytes.readUInt16BE(start + beforeId + idBytes);
    at = start + beforePath + ((flags & isExtended) === 0 ? 0 : flagBytes);
    // A number as in offsets of packs: each byte but the last has its highest bit set, and counts from 1.
    let byte = bytes.readUInt8(at++);
    let dropped = byte & 0x7f;
    while (byte > 0x7f) {
      byte = bytes.readUInt8(at++);
      dropped = (dropped + 1) * 0x80 + (byte & 0x7f);
    }
    const end = bytes.indexOf(0, at);
    path = Buffer.concat([path.subarray(0, path.length - dropped), bytes.subarray(at, end)]);
    at = end + 1;
    if (path.equals(name)) return start;
  }
  return undefined;
}

/** The list that git keeps of the files it tracks, read as a file: git itself need not be there. */
export class GitIndex {
  readonly #repository: Repository;
  #mark = '';
  #bytes: Buffer | undefined;
  /** What was told of paths since the list was read. */
  readonly #looked = new Map<string, string | null>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** The id of the content that git tracks for a file; null when it does not track it, undefined when that cannot be told. */
  blobOf(path: string): string | null | undefined {
    const bytes = this.#read();
    if (bytes === undefined || bytes.readUInt32BE(4) > 4) return undefined;
    const known = this.#looked.get(path);
    if (known !== undefined) return known;
    const name = Buffer.from(relative(this.#repository.root, path).split(sep).join('/'));
    const start = bytes.readUInt32BE(4) === 4 ? entryOfShared(bytes, name) : entryOf(bytes, name);
    if (start === undefined) return this.#isSplit() ? undefined : null;
    const blob = fileModes.has(bytes.readUInt32BE(start + 24))
      ? bytes.toString('hex', start + beforeId, start + beforeId + idBytes)
      : null;
    if (this.#looked.size >= mostLooked) this.#looked.clear();
    this.#looked.set(path, blob);
    return blob;
  }

  #read(): Buffer | undefined {
    const path = join(this.#repository.gitFolder, 'index');
    try {
      const { size, mtimeMs, ino } = statSync(path);
      const mark = `${size}:${mtimeMs}:${ino}`;
      if (mark === this.#mark) return this.#bytes;
      this.#looked.clear();
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
