import type { Context } from '../../agents/core.ts';
import type { PayloadOf } from '../../protocol/actions.ts';
import type { Config } from '../../protocol/config.ts';
import { servantName } from '../../protocol/roster.ts';
import { labelsOf } from '../../protocol/servant-kinds.ts';
import { servantPools } from '../../protocol/servant-pools.ts';
import { isHalted } from './halts.ts';
import { type DemandRow, tables } from './rows.ts';

/** Ms between two notes of how many tasks wait. */
const noteInterval = 1_000;

/** The servants that are given tasks: those that the manager named, or all until it has. */
export function staff(ctx: Context): readonly string[] {
  const members = tables(ctx).staff.get('now')?.members;
  if (members === undefined) return ctx.servants;
  const named = new Set(members);
  return ctx.servants.filter((name) => named.has(name));
}

/** Takes the manager's word on which servants are given tasks from now on. */
export function setStaff(ctx: Context, order: PayloadOf<'sage.task.servants'>): void {
  tables(ctx).staff.put('now', order);
  if (!order.watch) tables(ctx).demand.delete('now');
}

/** When the demand is to be noted again (ms since the epoch). */
export function nextDemandNote(ctx: Context): number | undefined {
  const { ready, staff, demand } = tables(ctx);
  if (staff.get('now')?.watch !== true) return undefined;
  const last = demand.get('now');
  if (ready.size === 0) return last && Object.keys(last.pools).length > 0 ? ctx.now() : undefined;
  return last ? last.at + noteInterval : ctx.now();
}

/** Notes for the manager how many tasks wait for each pool of servants: at once when there are none any more, else now and then. */
export function noteDemand(ctx: Context, config: Config): void {
  const { ready, staff, demand } = tables(ctx);
  if (staff.get('now')?.watch !== true) return;
  const last = demand.get('now');
  if (ready.size === 0) {
    if (last && Object.keys(last.pools).length > 0) demand.put('now', { at: ctx.now(), pools: {} });
    return;
  }
  if (last && ctx.now() - last.at < noteInterval) return;
  demand.put('now', { at: ctx.now(), pools: measureDemand(ctx, config) });
}

/** Counts the tasks that wait for nothing but a servant, each for the first pool whose servants take it. */
function measureDemand(ctx: Context, config: Config): DemandRow['pools'] {
  const { ready, directives, locks } = tables(ctx);
  const pools = servantPools(config).map((pool) => ({
    name: pool.name,
    labels: labelsOf(config, servantName(pool.first)),
  }));
  const found: Record<string, { ready: number; since: number }> = {};
  for (const group of ready.groups()) {
    const head = ready.first(group)?.row;
    const directive = head && directives.get(head.directiveId);
    if (!directive || directive.paused !== undefined || isHalted(ctx, directive.id)) continue;
    if (head.locks.some((lock) => locks.has(lock))) continue;
    const pool = pools.find(({ labels }) => head.labels.every((label) => labels.has(label)));
    if (pool === undefined) continue;
    // Tasks that share a lock run one after the other, however many servants there are.
    const count = head.locks.length > 0 ? 1 : ready.count(group);
    const since = head.at ?? ctx.now();
    const known = found[pool.name];
    found[pool.name] = {
      ready: (known?.ready ?? 0) + count,
      since: Math.min(known?.since ?? since, since),
    };
  }
  return found;
}
