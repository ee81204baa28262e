import type { ProcessMeasure, TreeMeasure } from '../../protocol/operations.ts';

/** What one process used and did between two measurements; `null` where that cannot be told. */
export interface ProcessRates
  extends Pick<ProcessMeasure, 'name' | 'state' | 'pid' | 'memory' | 'waiting' | 'restarts'> {
  /** Share of one processor: 1 is all of it. */
  readonly cpu: number | null;
  /** Messages per second. */
  readonly handled: number | null;
  readonly sent: number | null;
}

/** What a tree used and did between two measurements that are `spanMs` apart. */
export interface TreeRates {
  readonly at: number;
  readonly spanMs: number;
  readonly state: string;
  readonly processes: readonly ProcessRates[];
}

/** Compares two measurements of a tree; `at` (ms since the epoch) is when the second was made. */
export function usageRates(before: TreeMeasure, after: TreeMeasure, at: number): TreeRates {
  const spanMs = after.at - before.at;
  const earlier = new Map(before.processes.map((process) => [process.name, process]));
  const processes = after.processes.map((now): ProcessRates => {
    const then = earlier.get(now.name);
    const { name, state, pid, memory, waiting, restarts } = now;
    const per = (key: 'cpuTime' | 'handled' | 'sent', unitMs: number) => {
      const first = then?.[key] ?? null;
      const last = now[key];
      // A counter that went back belongs to a new process, or to a Redis that has lost data.
      if (first === null || last === null || last < first || spanMs <= 0) return null;
      return ((last - first) / spanMs) * unitMs;
    };
    const cpu = then?.pid === pid ? per('cpuTime', 1) : null;
    return {
      name,
      state,
      pid,
      cpu,
      memory,
      handled: per('handled', 1_000),
      sent: per('sent', 1_000),
      waiting,
      restarts,
    };
  });
  return { at, spanMs, state: after.state, processes };
}
