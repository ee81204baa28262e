import type { FromElder } from './child-protocol.ts';
import { chaosLanes } from './intent.ts';
import { producers } from './topology.ts';

/** How far the run is, by what the processes tell. It steers the run; the checker does not look at it. */
export class Progress {
  acknowledged = 0;
  readonly #handled = new Map<string, number>();
  readonly #finished = new Map<string, { readonly [lane: string]: number }>();
  #wake: () => void = () => {};

  note(name: string, message: FromElder): void {
    if (message.kind === 'acknowledged') this.acknowledged += message.count;
    if (message.kind === 'finished') this.#finished.set(name, message.counts);
    if (message.kind === 'handled') {
      for (const [source, { upTo }] of Object.entries(message.from)) {
        for (const lane of chaosLanes) {
          const edge = `${source}:${lane}`;
          this.#handled.set(edge, Math.max(upTo[lane] ?? 0, this.#handled.get(edge) ?? 0));
        }
      }
    }
    this.#wake();
  }

  #isDrained(): boolean {
    return producers.every((name) => {
      const counts = this.#finished.get(name);
      return (
        counts &&
        chaosLanes.every((lane) => (this.#handled.get(`${name}:${lane}`) ?? 0) >= (counts[lane] ?? 0))
      );
    });
  }

  /** Resolves to true once all that was sent is handled, to false when nothing has been told for `limitMs`. */
  async drained(limitMs: number): Promise<boolean> {
    while (!this.#isDrained()) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      this.#wake = () => resolve(true);
      const timer = setTimeout(() => resolve(false), limitMs);
      const told = await promise;
      clearTimeout(timer);
      if (!told) return false;
    }
    return true;
  }
}
