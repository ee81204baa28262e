/** An error that Redis answered, as against one of the connection. */
export class ErrorReply extends Error {}

interface OpenArray {
  readonly items: unknown[];
  readonly length: number;
}

const carriageReturn = 13;
const [minus, plus, zero] = [45, 43, 48];
/** Redis counts with 64 bits. */
const most = 2 ** 63;
const [simple, error, integer, bulk, array] = [...'+-:$*'].map((kind) => kind.charCodeAt(0));

/**
 * Takes the bytes of a connection (RESP2) as they come and gives each reply once it is complete: strings as
 * UTF-8, integers as numbers, errors as `ErrorReply`. What it has parsed of a reply it does not parse again.
 */
export class RespParser {
  readonly #onReply: (reply: unknown) => void;
  readonly #open: OpenArray[] = [];
  #chunks: Buffer[] = [];
  #size = 0;
  /** With fewer bytes than this there is nothing more to parse. */
  #needed = 0;

  constructor(onReply: (reply: unknown) => void) {
    this.#onReply = onReply;
  }

  /** Takes some more bytes. Throws when they are no RESP2. */
  feed(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return;
    const data = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#size);
    const at = this.#parse(data);
    this.#chunks = at < data.length ? [data.subarray(at)] : [];
    this.#size = data.length - at;
  }

  /** Parses as far as it can and gives where it stopped. */
  #parse(data: Buffer): number {
    let at = 0;
    for (;;) {
      const end = data.indexOf(carriageReturn, at);
      const next = end + 2;
      if (end < 0 || next > data.length) {
        this.#needed = data.length - at + 1;
        return at;
      }
      const kind = data[at];
      if (kind === bulk) {
        const length = wholeNumber(data, at + 1, end);
        const till = length < 0 ? next : next + length + 2;
        if (till > data.length) {
          this.#needed = till - at;
          return at;
        }
        at = till;
        this.#take(length < 0 ? null : data.toString('utf8', next, next + length));
        continue;
      }
      const from = at + 1;
      at = next;
      if (kind === array) {
        const length = wholeNumber(data, from, end);
        if (length > 0) this.#open.push({ items: [], length });
        else this.#take(length < 0 ? null : []);
      } else if (kind === integer) this.#take(wholeNumber(data, from, end));
      else if (kind === simple) this.#take(data.toString('utf8', from, end));
      else if (kind === error) this.#take(new ErrorReply(data.toString('utf8', from, end)));
      else throw new Error('the peer does not speak RESP2');
    }
  }

  #take(value: unknown): void {
    let whole = value;
    for (let top = this.#open.at(-1); top; top = this.#open.at(-1)) {
      top.items.push(whole);
      if (top.items.length < top.length) return;
      whole = top.items;
      this.#open.pop();
    }
    this.#onReply(whole);
  }
}

/** Reads decimal digits, behind a sign or not, from their bytes: each reply has many of them. */
function wholeNumber(data: Buffer, from: number, end: number): number {
  const negative = data[from] === minus;
  const first = negative || data[from] === plus ? from + 1 : from;
  let number = 0;
  for (let at = first; at < end; at += 1) {
    const digit = (data[at] as number) - zero;
    if (digit < 0 || digit > 9) throw new Error('the peer does not speak RESP2');
    number = number * 10 + digit;
  }
  if (first === end || number > most) throw new Error('the peer does not speak RESP2');
  return negative ? -number : number;
}
