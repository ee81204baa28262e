/** Ms for which a process that has just become ready has the disk and the processors to itself. */
const firstMs = 150;
/** Nothing is put off for longer than this (ms), however long a replacement takes. */
const longestMs = 1_000;
/** Ms after a replacement, or the start of the manager, until there is calm. */
const calmAfterMs = 10_000;

/**
 * Puts off what nobody waits for, such as notes on disk and in Redis about a crash, while a process is being replaced:
 * each of them is a write that the disk must have taken before the next, and the replacement has some of its own.
 */
export class AfterReplacement {
  readonly #tasks: (() => void)[] = [];
  #underWay = 0;
  readonly #now: () => number;
  #lastAt: number;

  /** `now` is a monotonic clock in ms. */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#lastAt = now();
  }

  /** Whether nothing is being replaced, nor has been for a while. */
  get isCalm(): boolean {
    return this.#underWay === 0 && this.#now() - this.#lastAt > calmAfterMs;
  }

  /** Tells that a process is being replaced now; the returned function tells that it is. */
  began(): () => void {
    this.#underWay += 1;
    this.#lastAt = this.#now();
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.#underWay -= 1;
      if (this.#underWay === 0) this.flush();
    };
    let timer = setTimeout(over, longestMs);
    return () => {
      clearTimeout(timer);
      if (!isOver) timer = setTimeout(over, firstMs);
    };
  }

  /** Does something now, or, in this order, as soon as nothing is being replaced. */
  run(task: () => void): void {
    if (this.#underWay > 0) this.#tasks.push(task);
    else task();
  }

  /** Does all that was put off. */
  flush(): void {
    for (const task of this.#tasks.splice(0)) task();
  }
}
