interface ManagerWatchOptions {
  /** Ms without a sign of a manager after which there is none. */
  readonly timeoutMs: number;
  /** Monotonic clock in ms. */
  readonly now: () => number;
}

/** The longest time between two looks at the clock, ms. */
const longestTick = 5_000;

/**
 * Notices that no manager looks after this process any more. Only time in which this process itself ran counts: after
 * a suspension the manager, which may have been suspended too, has its full time again to come.
 */
export class ManagerWatch {
  readonly #options: ManagerWatchOptions;
  readonly #gone = Promise.withResolvers<void>();
  readonly #timer: NodeJS.Timeout;
  #lastSign: number;
  #lastTick: number;

  constructor(options: ManagerWatchOptions) {
    this.#options = options;
    const tick = Math.min(longestTick, options.timeoutMs / 4);
    this.#lastSign = this.#lastTick = options.now();
    this.#timer = setInterval(() => this.#look(tick), tick);
  }

  /** Resolves when there has been no manager for the whole time; never when it is stopped before. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Notes that a manager has just asked for something. */
  seen(): void {
    this.#lastSign = this.#options.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(tick: number): void {
    const now = this.#options.now();
    if (now - this.#lastTick > 3 * tick) this.#lastSign = now;
    this.#lastTick = now;
    if (now - this.#lastSign < this.#options.timeoutMs) return;
    this.stop();
    this.#gone.resolve();
  }
}
