import { isServant, servantName } from './roster.ts';

/** What the pools of servants are computed from. */
export interface PoolsConfig {
  readonly servants: number;
  readonly scaling: {
    readonly auto: boolean;
    readonly min: number;
    readonly max?: number | undefined;
    readonly groups: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
  };
}

/** Servants that can stand in for each other and are counted together. */
export interface ServantPool {
  /** `servant`, or the name of its group. */
  readonly name: string;
  /** The kind of its servants where it is a group. */
  readonly kind: string | null;
  /** Number of its first servant; the others follow. */
  readonly first: number;
  /** Bounds of the automatic. */
  readonly min: number;
  readonly max: number;
  /** The least that a person may ask for. */
  readonly least: number;
  /** How many there are when the tree starts. */
  readonly start: number;
}

/** The pool of the servants that belong to no group. */
export const generalPool = 'servant';

/** How many servants of the general pool there may be where the configuration does not say. */
const usualMax = 16;

/** The first servant of a group; so a larger general pool gives no servant of a group another number. */
export const firstInGroup = 501;

/** Lists the pools of a tree, the general one first, then the groups in the order of the configuration. */
export function servantPools({ servants, scaling }: PoolsConfig): ServantPool[] {
  const { auto, min, groups } = scaling;
  const max = scaling.max ?? Math.max(usualMax, servants, min);
  const general: ServantPool = {
    name: generalPool,
    kind: null,
    first: 1,
    min,
    max,
    least: 1,
    start: auto ? Math.max(min, servants) : servants,
  };
  let first = firstInGroup;
  const others = Object.entries(groups).map(([name, group]): ServantPool => {
    const pool = { name, kind: name, first, min: group.min, max: group.max, least: 0, start: group.min };
    first += group.max;
    return pool;
  });
  return [general, ...others];
}

/** Gives the numbers of the first `count` servants of a pool. */
export function numbersOf({ first }: ServantPool, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Gives the numbers of all servants that the tree can ever have without a new configuration. */
export function possibleServants(config: PoolsConfig): number[] {
  return servantPools(config).flatMap((pool) => numbersOf(pool, pool.max));
}

/** Gives the numbers of the servants with which a tree starts. */
export function startingServants(config: PoolsConfig): number[] {
  return servantPools(config).flatMap((pool) => numbersOf(pool, pool.start));
}

/** Gives the names of all servants that the tree can ever have without a new configuration. */
export function possibleServantNames(config: PoolsConfig): string[] {
  return possibleServants(config).map(servantName);
}

/** Gives the number of a servant, counted from 1; `undefined` for other names. */
export function servantNumber(name: string): number | undefined {
  return isServant(name) ? Number(name.slice(servantName(0).length - 1)) : undefined;
}

/** Gives the pool that a servant belongs to; `undefined` for a number that no pool has. */
export function poolOf(pools: readonly ServantPool[], servant: string): ServantPool | undefined {
  const number = servantNumber(servant) ?? 0;
  return pools.find(({ first, max }) => number >= first && number < first + max);
}
