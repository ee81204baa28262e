/** Limits of restarting one process; all times in ms. */
export interface RestartLimits {
  /** More crashes than this within `period` exhaust it. */
  readonly intensity: number;
  readonly period: number;
  /** Longest wait before the second restart in a row; doubles with each further one. */
  readonly backoffFirst: number;
  readonly backoffMax: number;
  /** Uptime after which a crash counts as the first in a row again. */
  readonly stableAfter: number;
}

/** What to do after a crash: restart after a wait of `delayMs`, or give up. */
export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'give_up'; readonly crashes: number };

/**
 * Decides on restarts as an OTP supervisor does (intensity within a period) with exponential backoff and
 * full jitter between them. The first restart in a row is immediate.
 */
export class RestartPolicy {
  readonly #limits: RestartLimits;
  readonly #random: () => number;
  #crashes: number[];
  #inRow: number;

  /** `crashes` are the times (ms since the epoch) that an earlier manager remembered; `random` gives 0 ≤ x < 1. */
  constructor(options: { limits: RestartLimits; random: () => number; crashes?: readonly number[] }) {
    this.#limits = options.limits;
    this.#random = options.random;
    this.#crashes = [...(options.crashes ?? [])];
    this.#inRow = this.#crashes.length;
  }

  /** Times of the crashes within the last period, oldest first. */
  get crashes(): readonly number[] {
    return this.#crashes;
  }

  /** Counts a crash at `now` (ms since the epoch) of a process that had been up for `uptimeMs`. */
  crashed(now: number, uptimeMs: number): RestartDecision {
    const { intensity, period, backoffFirst, backoffMax, stableAfter } = this.#limits;
    this.#crashes = [...this.#crashes.filter((at) => at > now - period && at <= now), now];
    if (this.#crashes.length > intensity) return { kind: 'give_up', crashes: this.#crashes.length };
    this.#inRow = uptimeMs >= stableAfter ? 1 : this.#inRow + 1;
    if (this.#inRow === 1) return { kind: 'restart', delayMs: 0 };
    const ceiling = Math.min(backoffMax, backoffFirst * 2 ** (this.#inRow - 2));
    return { kind: 'restart', delayMs: Math.floor(this.#random() * ceiling) };
  }
}
