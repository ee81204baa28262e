import type { FromElder } from './child-protocol.ts';

type Handled = Extract<FromElder, { kind: 'handled' }>;

/** The consumer process that reports. */
interface Reporter {
  readonly name: string;
  readonly maker: number;
}

interface Waiter {
  /** Reports that are still awaited; each is dropped by the first that fits. */
  readonly awaited: ((by: Reporter, report: Handled) => boolean)[];
  readonly since: number;
  readonly resolve: (tookMs: number) => void;
}

/** Whose work has to be seen again before a fault counts as recovered from. */
export interface Affected {
  readonly producers?: readonly string[];
  readonly consumers?: readonly string[];
  /** Only what a process made after this one does counts: the one that was hit may have been at work still. */
  readonly newerThan?: number;
}

/** Measures from a fault to the next handled message of everybody whom it hit. */
export class Recovery {
  readonly #waiters = new Set<Waiter>();

  /** Takes note of a commit of a consumer. */
  report(by: Reporter, report: Handled): void {
    for (const waiter of this.#waiters) {
      for (const [index, fits] of [...waiter.awaited.entries()].reverse()) {
        if (fits(by, report)) waiter.awaited.splice(index, 1);
      }
      if (waiter.awaited.length > 0) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(Math.max(0, report.at - waiter.since));
    }
  }

  /**
   * Resolves with the ms from `since` until every consumer named has committed, and a message that each producer
   * named made after `since` was handled; with `null` when that takes more than `limitMs`.
   */
  after(since: number, affected: Affected, limitMs: number): Promise<number | null> {
    const { newerThan = 0 } = affected;
    const awaited: Waiter['awaited'] = [
      ...(affected.consumers ?? []).map(
        (name) => (by: Reporter, report: Handled) =>
          by.name === name && by.maker > newerThan && report.at > since,
      ),
      ...(affected.producers ?? []).map((name) => (_: Reporter, report: Handled) => {
        const from = report.from[name];
        return from !== undefined && from.maker > newerThan && from.madeAt > since;
      }),
    ];
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        resolve(null);
      }, limitMs);
      const waiter: Waiter = {
        awaited,
        since,
        resolve: (tookMs) => {
          clearTimeout(timer);
          resolve(tookMs);
        },
      };
      this.#waiters.add(waiter);
    });
  }
}
