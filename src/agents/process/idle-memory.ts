import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Ms between two looks. */
const lookMs = 5_000;
/** Share of the time since the last look, 0 to 1, below which a process has nothing to do. */
const idleShare = 0.05;
/** Bytes of the young heap that an idle process may keep. */
const keptBytes = 3_000_000;

let collect: NodeJS.GCFunction | undefined;

/**
 * Gives the memory back that a process has needed to load its program, or for a load that is over: V8 keeps the heap
 * for young objects as large as it ever became, which in an elder at rest is a third of all it has. Takes about 50 ms.
 */
export function giveMemoryBack(): void {
  // As options of the command line these would make Node compile all that is its own anew, in each process.
  withFlag('--expose-gc', '--no-expose-gc', () => {
    collect ??= runInNewContext('gc') as NodeJS.GCFunction;
  });
  // What is compiled stays: a spare has compiled it ahead.
  withFlag('--no-flush-bytecode', '--flush-bytecode', () => {
    collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  });
}

function withFlag(on: string, off: string, act: () => void): void {
  setFlagsFromString(on);
  try {
    act();
  } finally {
    setFlagsFromString(off);
  }
}

/**
 * Gives memory back whenever this process holds too much, has nothing to do, and `mayNow` agrees: while others are being
 * replaced their successors wait for this one's answers. Does not keep the process alive.
 */
export function giveMemoryBackWhenIdle(mayNow: () => boolean): void {
  let last = performance.eventLoopUtilization();
  const look = () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    if (utilization < idleShare && mayNow() && youngHeapBytes() > keptBytes) giveMemoryBack();
  };
  setInterval(look, lookMs).unref();
}

function youngHeapBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  return young?.physical_space_size ?? 0;
}
