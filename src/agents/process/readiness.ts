/** Collects the reasons why a process cannot serve; it is ready while there is none. */
export class Readiness {
  readonly #reasons = new Map<string, string>([['start', 'starting']]);
  readonly #onChange: (reason: string | null) => void;
  #told: string | null = 'starting';

  constructor(onChange: (reason: string | null) => void) {
    this.#onChange = onChange;
  }

  /** The first reason, or `null` when the process can serve. */
  get reason(): string | null {
    const [first] = this.#reasons.values();
    return first ?? null;
  }

  set(what: string, reason: string): void {
    this.#reasons.set(what, reason);
    this.#tell();
  }

  clear(what: string): void {
    this.#reasons.delete(what);
    this.#tell();
  }

  #tell(): void {
    const { reason } = this;
    if (reason === this.#told) return;
    this.#told = reason;
    this.#onChange(reason);
  }
}
