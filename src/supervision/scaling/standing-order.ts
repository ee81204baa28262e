/** Ms after which an order that its receiver has not taken is given again: Redis may have lost it. */
const repeatAfter = 5_000;

/** What one elder is to know for as long as it holds: given once, and again where it was lost. */
export class StandingOrder {
  readonly #next: () => number;
  #words: string | null = null;
  #revision = 0;
  #at = 0;

  /** `next` gives a higher number each time. */
  constructor(next: () => number) {
    this.#next = next;
  }

  /** The number of the last order given; its receiver shows it once it is in force. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether just this was ordered, and is in force by the number that the receiver shows. */
  isInForce(words: string, shown: number | undefined): boolean {
    return words === this.#words && shown === this.#revision;
  }

  /** Orders this, unless that was done: `words` tell whether it is the same. */
  give(words: string, shown: number | undefined, send: (revision: number) => void): void {
    const same = words === this.#words;
    if (same && (shown === this.#revision || performance.now() - this.#at < repeatAfter)) return;
    if (!same) this.#revision = this.#next();
    this.#words = words;
    this.#at = performance.now();
    send(this.#revision);
  }
}
