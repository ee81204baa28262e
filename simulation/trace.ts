import { createHash } from 'node:crypto';
import type { Clock } from '../src/messaging/clock.ts';

/** What happened in a run, line by line; equal runs have equal hashes. */
export class Trace {
  readonly #hash = createHash('sha256');
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #print: ((line: string) => void) | null;
  lines = 0;

  constructor(clock: Clock, print: ((line: string) => void) | null) {
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#print = print;
  }

  /** Notes one event with its time (ms since the start). */
  note(event: string): void {
    const line = `${(this.#clock.now() - this.#startedAt).toFixed(3)} ${event}`;
    this.lines += 1;
    this.#hash.update(line).update('\n');
    this.#print?.(line);
  }

  /** The hash of all lines; nothing can be noted afterwards. */
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }
}
