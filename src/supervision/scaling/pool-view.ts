import { servantName } from '../../protocol/roster.ts';
import type { PoolScale } from '../../protocol/scaling.ts';
import { numbersOf, type ServantPool } from '../../protocol/servant-pools.ts';
import type { TreeElders } from '../elders/tree-elders.ts';
import type { PoolSight } from './decide-count.ts';
import type { StaffView } from './read-staff.ts';
import type { ServantRoll } from './servant-roll.ts';

/** The servants there are to be, and those that run. */
export interface PoolSources {
  readonly roll: ServantRoll;
  readonly elders: Pick<TreeElders, 'supervisor'>;
}

/** Tells people how many servants a pool has and what they do; `view` is what the task sage knows, `null` while Redis is away. */
export function describePool(
  pool: ServantPool,
  { roll, elders }: PoolSources,
  view: StaffView | null,
  last: PoolScale['last'],
): PoolScale {
  const { name, least, min, max } = pool;
  const servants = numbersOf(pool, roll.count(name)).map(servantName);
  const ready = servants.filter((servant) => elders.supervisor(servant)?.status.state === 'ready');
  const watched = view !== null && roll.isAutomatic(name) && view.demand !== null;
  return {
    pool: name,
    count: servants.length,
    ready: ready.length,
    busy: view === null ? null : servants.filter((servant) => view.busy.has(servant)).length,
    draining: [...roll.retiring].filter((servant) => roll.poolOf(servant)?.name === name),
    waiting: watched ? (view.demand?.pools[name]?.ready ?? 0) : null,
    ...{ least, min, max, automatic: roll.isAutomatic(name), last },
  };
}

/** Gives what the automatic decides by. */
export function sightOf(pool: ServantPool, { roll, elders }: PoolSources, view: StaffView): PoolSight {
  const servants = numbersOf(pool, roll.count(pool.name)).map(servantName);
  const busy = servants.filter((name) => view.busy.has(name));
  const free = servants.filter((name) => {
    const state = elders.supervisor(name)?.status.state ?? 'starting';
    return !view.busy.has(name) && state !== 'failed' && state !== 'stopped';
  });
  const waiting = view.demand?.pools[pool.name];
  return {
    count: servants.length,
    busy: busy.length,
    free: free.length,
    ready: waiting?.ready ?? 0,
    since: waiting?.since ?? null,
  };
}
