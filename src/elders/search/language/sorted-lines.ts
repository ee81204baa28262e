const equals = 0x3d;
const lineEnd = 0x0a;

/** Lines `word=…` sorted by the bytes of their words: looked up by halving, so that nothing but the bytes is kept. */
export class SortedLines {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** What stands behind the `=` of a word; undefined when there is no such word. */
  find(word: string): string | undefined {
    const wanted = Buffer.from(word);
    const bytes = this.#bytes;
    let low = 0;
    let high = bytes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const start = middle === 0 ? 0 : bytes.lastIndexOf(lineEnd, middle - 1) + 1;
      const key = bytes.indexOf(equals, start);
      const end = bytes.indexOf(lineEnd, start);
      const order = bytes.compare(wanted, 0, wanted.length, start, key);
      if (order === 0) return bytes.toString('utf8', key + 1, end);
      if (order < 0) low = end + 1;
      else high = start;
    }
    return undefined;
  }
}
