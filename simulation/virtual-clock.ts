import type { Clock } from '../src/messaging/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  fire: (() => void) | null;
}

function before(left: Timer, right: Timer): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

/**
 * A clock that stands still until it is told to go on. One timer fires at a time, and everything that follows
 * from it within the process has happened before the next does, so a run depends on nothing but its inputs.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #offset = 0;
  readonly #heap: Timer[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now + this.#offset;
  }

  /** Puts the time of day forward or back, as a person or NTP does; timers run on. */
  jump(ms: number): void {
    this.#offset += ms;
  }

  setTimer(ms: number, fire: () => void): () => void {
    this.#order += 1;
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order, fire };
    this.#push(timer);
    return () => {
      timer.fire = null;
    };
  }

  /** Lets everything happen that waits for nothing but its turn. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Fires the next timer and lets happen what follows; `false` when there is none. */
  async step(): Promise<boolean> {
    for (let timer = this.#pop(); timer; timer = this.#pop()) {
      if (timer.fire === null) continue;
      this.#now = timer.at;
      timer.fire();
      await this.settle();
      return true;
    }
    return false;
  }

  /** Goes on for `ms` and fires every timer within. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    while ((this.#next()?.at ?? Infinity) <= until) await this.step();
    this.#now = until;
  }

  /** Goes on until something is true. Throws when it is not within `limitMs`, or nothing is left to happen. */
  async until(condition: () => boolean, limitMs = 600_000): Promise<void> {
    const limit = this.#now + limitMs;
    await this.settle();
    while (!condition()) {
      if (this.#now > limit) throw new Error(`not so within ${limitMs} ms of virtual time`);
      if (!(await this.step()) && !condition()) throw new Error('nothing is left to happen');
    }
  }

  #next(): Timer | undefined {
    while (this.#heap[0]?.fire === null) this.#pop();
    return this.#heap[0];
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(heap[parent]!, timer)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (before(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
