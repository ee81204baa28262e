import { ElderError } from './errors.ts';

interface Bucket {
  tokens: number;
  at: number;
}

/** Holds each source to a number of requests per second; memory stays bounded by the sources seen of late. */
export class RateLimit {
  readonly #rate: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** `rate` is requests per second, `burst` how many may come at once; `now` is a monotonic clock in ms. */
  constructor(options: { rate: number; burst: number; now?: () => number }) {
    this.#rate = options.rate;
    this.#burst = options.burst;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Counts one request of a source. Throws `rate_limited` when it has had its share. */
  take(source: string): void {
    const now = this.#now();
    const bucket = this.#buckets.get(source) ?? { tokens: this.#burst, at: now };
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) * this.#rate) / 1_000);
    bucket.at = now;
    if (bucket.tokens < 1) {
      throw new ElderError(
        'rate_limited',
        `${source} may ask ${this.#rate} times a second, ${this.#burst} at once`,
      );
    }
    bucket.tokens -= 1;
    this.#buckets.set(source, bucket);
    if (this.#buckets.size > 1_000) this.#forgetIdle(now);
  }

  /** A source whose bucket is full again is as good as never seen. */
  #forgetIdle(now: number): void {
    const refillMs = (this.#burst / this.#rate) * 1_000;
    for (const [source, { at }] of this.#buckets) if (now - at > refillMs) this.#buckets.delete(source);
  }
}
