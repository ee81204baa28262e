import type { Clock } from '../src/messaging/clock.ts';

/** One life of one simulated process: whatever it has waiting is gone when it ends. */
export class Incarnation {
  readonly name: string;
  readonly number: number;
  readonly #world: Clock;
  #alive = true;

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
    setTimer: (ms, fire) => this.#world.setTimer(ms, () => this.#alive && fire()),
  };

  /** Ends it at once, as `kill -9` does. */
  end(): void {
    this.#alive = false;
  }
}
