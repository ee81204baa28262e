import type { Effect, Json } from './core.ts';

/** Something from this process for the core, and who waits for what comes of it. */
export interface Input {
  readonly effect: Effect;
  /** What happens when its handler writes to a full edge: it waits for its turn, or is rejected with `edge_full`. */
  readonly whenFull: 'wait' | 'fail';
  readonly resolve: (result: Json | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Inputs in the order in which they came; while the first that can wait has to, so do those of its kind behind it. */
export class Inputs {
  #queue: Input[] = [];
  #heldUntil = 0;

  add(input: Input): void {
    this.#queue.push(input);
  }

  /** Whether any can be handled at this time (ms). */
  hasWork(now: number): boolean {
    if (this.#queue.length === 0) return false;
    return this.#heldUntil <= now || this.#queue.some(({ whenFull }) => whenFull === 'fail');
  }

  /** When those that are held back may go on; `undefined` if none are. */
  nextAt(): number | undefined {
    return this.#queue.length > 0 && this.#heldUntil > 0 ? this.#heldUntil : undefined;
  }

  /** Takes at most `limit` that can be handled now. */
  take(limit: number, now: number): Input[] {
    const taken: Input[] = [];
    const left: Input[] = [];
    const held = this.#heldUntil > now;
    for (const input of this.#queue) {
      const may = taken.length < limit && !(held && input.whenFull === 'wait');
      (may ? taken : left).push(input);
    }
    this.#queue = left;
    return taken;
  }

  /** Puts inputs back before all others, in their order. */
  putBack(inputs: readonly Input[]): void {
    this.#queue.unshift(...inputs);
  }

  /** Holds those that can wait back until a time. */
  holdBack(until: number): void {
    this.#heldUntil = until;
  }

  /** Rejects all. */
  rejectAll(error: unknown): void {
    for (const input of this.#queue.splice(0)) input.reject(error);
  }
}
