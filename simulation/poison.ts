/** Chooses one message of a run that kills whoever handles it, until it has been given up. */
export class Poison {
  /** How many messages are handled before it; `null` for none. */
  readonly #after: number | null;
  readonly #seen = new Set<string>();
  #chosen: string | null = null;
  #deaths = 0;

  constructor(after: number | null) {
    this.#after = after;
  }

  /** The message that was chosen. */
  get messageId(): string | null {
    return this.#chosen;
  }

  /** How many have died of it. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Tells whether its handler dies of this message; `isGivenUp` says whether it is a dead letter already. */
  kills(messageId: string, isGivenUp: () => boolean): boolean {
    if (this.#after === null) return false;
    if (this.#chosen === null) {
      this.#seen.add(messageId);
      if (this.#seen.size > this.#after) this.#chosen = messageId;
    }
    // What a person has handled once more has been seen to before.
    if (messageId !== this.#chosen || isGivenUp()) return false;
    this.#deaths += 1;
    return true;
  }
}
