import { everyInterval } from './shared-ticker.ts';

/** What one round of probes found. `alive` means that the event loop answered. */
export type Health =
  | { readonly alive: true; readonly ready: true }
  | { readonly alive: true; readonly ready: false; readonly reason: string }
  | { readonly alive: false; readonly reason: string };

/** Node takes no longer time for a timer, ms. */
const longestTimer = 2 ** 31 - 1;

interface HealthCheckerOptions {
  readonly probe: (signal: AbortSignal) => Promise<Health>;
  /** Ms between the starts of two probes. */
  readonly interval: number;
  /** Ms without an answer after which the process counts as hanging. */
  readonly deadline: number;
  /** Monotonic clock in ms. */
  readonly now: () => number;
  /** Called after each probe that was answered. */
  readonly onAnswer: (health: Extract<Health, { alive: true }>) => void;
  /** Called once, after which no more probes are sent. */
  readonly onHanging: (reason: string) => void;
}

/**
 * Probes one process for liveness and readiness. Only time in which this process itself ran counts towards
 * the deadline: when its own timer comes late by more than two intervals it had been suspended, perhaps
 * together with the process probed, and the deadline starts anew.
 */
export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #stopped = new AbortController();
  #leave: () => void = () => {};
  #deadline: NodeJS.Timeout | undefined;
  #probing = false;
  #lastAnswer = 0;
  #lastTick = 0;
  #lastFailure = 'the probe is not answered';

  constructor(options: HealthCheckerOptions) {
    this.#options = options;
  }

  /** Starts to probe, at once and then every interval. */
  start(): void {
    this.#lastAnswer = this.#lastTick = this.#options.now();
    this.#leave = everyInterval(this.#options.interval, () => this.#tick());
    this.#awaitDeadline();
    void this.#probe();
  }

  /** Sends no more probes and calls nobody any more. */
  stop(): void {
    this.#leave();
    clearTimeout(this.#deadline);
    this.#stopped.abort();
  }

  #tick(): void {
    this.#forgiveSuspension();
    this.#lastTick = this.#options.now();
    if (!this.#probing) void this.#probe();
  }

  /** Looks again exactly when the deadline is over, not when the next probe happens to be due. */
  #awaitDeadline(): void {
    const { deadline, now } = this.#options;
    if (deadline === Infinity) return;
    const left = this.#lastAnswer + deadline - now();
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#judge(), Math.min(longestTimer, Math.max(1, left)));
  }

  #judge(): void {
    this.#forgiveSuspension();
    const silentFor = this.#options.now() - this.#lastAnswer;
    if (silentFor < this.#options.deadline) {
      this.#awaitDeadline();
      return;
    }
    this.stop();
    this.#options.onHanging(`no answer for ${Math.round(silentFor)} ms: ${this.#lastFailure}`);
  }

  #forgiveSuspension(): void {
    const now = this.#options.now();
    if (now - this.#lastTick > 3 * this.#options.interval) this.#lastAnswer = now;
  }

  async #probe(): Promise<void> {
    this.#probing = true;
    let health: Health;
    try {
      health = await this.#options.probe(this.#stopped.signal);
    } catch (error) {
      health = { alive: false, reason: error instanceof Error ? error.message : String(error) };
    }
    this.#probing = false;
    if (this.#stopped.signal.aborted) return;
    if (health.alive) {
      this.#lastAnswer = this.#options.now();
      this.#options.onAnswer(health);
    } else {
      this.#lastFailure = health.reason;
    }
  }
}
