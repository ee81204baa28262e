/** How much of the end of an output a message carries, in bytes of UTF-8. */
export const maxTailBytes = 65_536;

/** Keeps the last bytes of a stream in bounded memory. */
export class OutputTail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(limit = maxTailBytes) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    // Twice the limit before it is cut, so that a stream of tiny chunks is not copied for each of them.
    if (this.#length > 2 * this.#limit) this.#compact();
  }

  /** Gives at most the limit's bytes as text, begun at a character; bytes that are no UTF-8 become U+FFFD. */
  text(): string {
    this.#compact();
    const text = decodeFromBoundary(this.#chunks[0] ?? Buffer.alloc(0));
    const encoded = Buffer.from(text, 'utf8');
    // A replaced byte takes three: binary output may have grown beyond the limit.
    return encoded.length <= this.#limit
      ? text
      : decodeFromBoundary(encoded.subarray(encoded.length - this.#limit));
  }

  #compact(): void {
    const joined = Buffer.concat(this.#chunks);
    // Copied, lest the whole of the joined buffer stays in memory behind a slice of it.
    const kept = Buffer.from(joined.subarray(Math.max(0, joined.length - this.#limit)));
    this.#chunks = [kept];
    this.#length = kept.length;
  }
}

function decodeFromBoundary(bytes: Buffer): string {
  let start = 0;
  // 10xxxxxx continues a character that began before the cut; there are at most three of them.
  while (start < 3 && start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start).toString('utf8');
}
