import type { Clock } from '../src/messaging/clock.ts';

/** One life of one simulated process: whatever it has waiting is gone when it ends. */
export class Incarnation {
  readonly name: string;
  readonly number: number;
  readonly #world: Clock;
  #alive = true;
  #stalledUntil = 0;

  constructor(name: string, number: number, world: Clock) {
    this.name = name;
    this.number = number;
    this.#world = world;
  }

  get alive(): boolean {
    return this.#alive;
  }

  toString(): string {
    return `${this.name}#${this.number}`;
  }

  /** The clock as the process sees it: no timer of a dead process fires. */
  readonly clock: Clock = {
    now: () => this.#world.now(),
    setTimer: (ms, fire) => {
      let cancel = () => {};
      const due = () => {
        const stalledMs = this.#stalledUntil - this.#world.now();
        if (stalledMs > 0) cancel = this.#world.setTimer(stalledMs, due);
        else if (this.#alive) fire();
      };
      cancel = this.#world.setTimer(ms, due);
      return () => cancel();
    },
  };

  /** Nothing happens in it for a while, as when its machine is too busy. */
  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#world.now() + ms);
  }

  /** Ends it at once, as `kill -9` does. */
  end(): void {
    this.#alive = false;
  }
}
