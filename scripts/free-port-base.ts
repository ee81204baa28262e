import { redisPortOffset, roster } from '../src/protocol/roster.ts';
import { isFree } from './loopback-port.ts';

/** Says whether a tree with this many servants finds all its ports free now. */
export async function isPortBaseFree(base: number, servants: number): Promise<boolean> {
  const offsets = [...roster(servants).map(({ portOffset }) => portOffset), redisPortOffset];
  const free = await Promise.all(offsets.map((offset) => isFree(base + offset)));
  return free.every(Boolean);
}

/**
 * Finds a port base where a tree with this many servants finds all its ports free now: `first`, or the next
 * in steps of 2,000 below the range that the kernel hands out by itself. Throws when there is none.
 */
export async function freePortBase(first: number, servants: number): Promise<number> {
  for (let base = first; base < 30_000; base += 2_000) {
    if (await isPortBaseFree(base, servants)) return base;
  }
  throw new Error(`no port base between ${first} and 30000 has all its ports free on the loopback`);
}
