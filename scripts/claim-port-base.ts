import { isPortBaseFree } from './free-port-base.ts';
import { takePort } from './loopback-port.ts';

/** With more servants a tree would reach the Redis port of a neighbour. */
const maxServants = 29;
/** No process of a tree has this offset. */
const claimOffset = 10;
/**
 * The ports of a tree lie in four narrow bands, so that twelve trees interleave in each block; all below the range that the
 * kernel hands out by itself. The first servants of groups, from 1501 on, reach the next block and meet nobody there.
 */
const bases = Array.from(
  { length: 14 * 12 },
  (_, slot) => 10_000 + 1_408 * Math.floor(slot / 12) + 32 * (slot % 12),
);

/** A port base that is nobody else's until it is released or the process ends. */
export interface PortClaim {
  readonly base: number;
  release(): void;
}

/**
 * Claims a port base where a tree with up to 29 servants finds all its ports free. Looking alone would not do for
 * programs that run beside each other: some time passes until the tree listens. Throws when none is left.
 */
export async function claimPortBase(servants: number): Promise<PortClaim> {
  if (servants > maxServants) throw new RangeError(`at most ${maxServants} servants, not ${servants}`);
  const first = Math.floor(Math.random() * bases.length);
  for (const base of [...bases.slice(first), ...bases.slice(0, first)]) {
    const claim = await takePort(base + claimOffset);
    if (claim === null) continue;
    if (await isPortBaseFree(base, servants)) return { base, release: () => claim.close() };
    claim.close();
  }
  throw new Error(`none of ${bases.length} port bases on the loopback has all its ports free`);
}
