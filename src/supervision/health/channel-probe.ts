import type { Health } from './health-checker.ts';

/**
 * Asks a child for its health on the channel that it was started with, which costs next to nothing beside a request
 * over TLS. One probe at a time.
 */
export class ChannelProbe {
  readonly #ask: (n: number) => void;
  #asked = 0;
  #waiting: ((health: Health) => void) | null = null;

  /** `ask` writes the probe of that number to the child. */
  constructor(ask: (n: number) => void) {
    this.#ask = ask;
  }

  /** Resolves with the answer, however late it comes: how long to wait is the caller's to judge. */
  probe(): Promise<Health> {
    const { promise, resolve } = Promise.withResolvers<Health>();
    this.#asked += 1;
    this.#waiting = resolve;
    this.#ask(this.#asked);
    return promise;
  }

  /** Told what the child answered to the probe of that number; an answer to an earlier one tells nothing of now. */
  answered(n: number, reason: string | null): void {
    if (n !== this.#asked) return;
    this.#waiting?.(reason === null ? { alive: true, ready: true } : { alive: true, ready: false, reason });
    this.#waiting = null;
  }
}
