import type { Socket } from 'node:net';

/** The lines that come from a connection, one reader at a time. */
export class Lines {
  readonly #queue: string[] = [];
  #rest = '';
  #ended = false;
  #wake: () => void = () => {};
  #onEnd: () => void = () => {};

  constructor(connection: Socket) {
    connection.setEncoding('latin1');
    connection.on('data', (text: string) => this.#take(text));
    const end = () => this.end();
    connection.on('error', end);
    connection.on('close', end);
  }

  /** Sets what is called when the connection ends. */
  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  /** Has nothing more come. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    this.#wake();
  }

  /** Gives the next line; `undefined` once the connection has ended. */
  async next(): Promise<string | undefined> {
    if (this.#queue.length === 0 && !this.#ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return this.#queue.shift();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    this.#queue.push(...lines);
    if (lines.length > 0) this.#wake();
  }
}
