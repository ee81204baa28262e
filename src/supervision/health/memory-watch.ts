import { readResidentMemory } from '../../telemetry/process-usage.ts';
import { everyInterval } from './shared-ticker.ts';

interface MemoryWatchOptions {
  readonly pid: number;
  /** Bytes. */
  readonly limit: number;
  /** Ms between two looks. */
  readonly interval: number;
  /** Called once, after which it is not looked at any more. */
  readonly onTooLarge: (reason: string) => void;
}

/** Looks at the memory of a process at an interval, until the returned function is called. Where the system does not tell it, nothing is ever too large. */
export function watchMemory({ pid, limit, interval, onTooLarge }: MemoryWatchOptions): () => void {
  const leave = everyInterval(interval, () => {
    const resident = readResidentMemory(pid);
    if (resident === undefined || resident <= limit) return;
    leave();
    onTooLarge(`holds ${megabytes(resident)} MB of memory, more than ${megabytes(limit)} MB`);
  });
  return leave;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}
