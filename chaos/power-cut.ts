import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const sampleMs = 50;

interface Sample {
  readonly at: number;
  readonly path: string;
  readonly size: number;
}

/**
 * Emulates the loss of power for `appendfsync everysec`. A killed Redis loses nothing that it wrote, because
 * the kernel still has it; without power, what was not synced is gone, which is about the last second. So this
 * notes how long the append-only file is, and cuts it back to the length of so long ago.
 */
export class PowerCut {
  readonly #folder: string;
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;

  /** `data` is the folder of Redis's data. */
  constructor(data: string) {
    this.#folder = join(data, 'appendonlydir');
    this.#timer = setInterval(() => this.#sample(), sampleMs);
  }

  /** Resolves once it is known how long the file was so long ago. */
  async knows(unsyncedMs: number): Promise<void> {
    const first = this.#samples[0];
    if (first) await delay(Math.max(0, first.at + unsyncedMs - Date.now()));
    else await delay(unsyncedMs + 2 * sampleMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Cuts off what was written in the last `unsyncedMs` before now; gives the bytes. Redis must not run. */
  lose(unsyncedMs: number): number {
    const now = Date.now();
    const [current] = this.#newest();
    const known = this.#samples.filter(({ at, path }) => at <= now - unsyncedMs && path === current?.path);
    const before = known.at(-1);
    this.#samples.length = 0;
    if (!before || !current || before.size >= current.size) return 0;
    truncateSync(before.path, before.size);
    return current.size - before.size;
  }

  /** The part of the file that is written now; a rewrite makes a new one. */
  #newest(): Sample[] {
    try {
      const parts = readdirSync(this.#folder).filter((file) => file.endsWith('.incr.aof'));
      const number = (file: string) => Number(/\.(\d+)\.incr\.aof$/.exec(file)?.[1] ?? 0);
      const newest = parts.toSorted((a, b) => number(b) - number(a))[0];
      if (newest === undefined) return [];
      const path = join(this.#folder, newest);
      return [{ at: Date.now(), path, size: statSync(path).size }];
    } catch {
      // Between two listings a rewrite may take a file away; the next sample finds the new one.
      return [];
    }
  }

  #sample(): void {
    this.#samples.push(...this.#newest());
    if (this.#samples.length > 200) this.#samples.splice(0, 100);
  }
}
