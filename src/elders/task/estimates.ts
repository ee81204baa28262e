import { createHash } from 'node:crypto';
import type { Context } from '../../agents/core.ts';
import type { TaskSpec } from '../../protocol/directive.ts';
import { isFinalTask } from '../../protocol/states.ts';
import { type Plan, planOf, type Template } from './plan.ts';
import { nextOrder, tables } from './rows.ts';
import { staff } from './staff.ts';
import { directiveRow, stateAt, taskAt } from './tasks.ts';

const keptSamples = 20;
const keptKinds = 2_000;

/** How long like tasks took (ms). */
export interface Estimate {
  readonly p50: number;
  readonly p90: number;
  readonly samples: number;
}

/** Tasks are alike when the same command line of the same name runs in the same workspace. */
function kindOf(workspace: string, spec: TaskSpec): string {
  let kind = kinds.get(spec);
  if (kind === undefined) {
    const text = `${workspace}\0${spec.id}\0${spec.run}`;
    kind = createHash('sha256').update(text).digest('base64url').slice(0, 22);
    kinds.set(spec, kind);
  }
  return kind;
}

/** A spec belongs to one directive, and so to one workspace. */
const kinds = new WeakMap<TaskSpec, string>();
const estimates = new WeakMap<readonly number[], Estimate>();

/** Notes how long a task took that succeeded; what was not seen for longest is forgotten. */
export function learnDuration(ctx: Context, directiveId: string, spec: TaskSpec, ms: number): void {
  const { durations } = tables(ctx);
  const kind = kindOf(directiveRow(ctx, directiveId).workspace, spec);
  const known = durations.get(kind)?.ms ?? [];
  durations.put(kind, {
    ms: [...known, Math.max(0, Math.round(ms))].slice(-keptSamples),
    at: nextOrder(ctx),
  });
  while (durations.size > keptKinds) durations.delete(durations.first('')?.id as string);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}

/** How long a task may take, by how long like tasks took; `undefined` if there were none. */
export function estimateOf(ctx: Context, directiveId: string, spec: TaskSpec): Estimate | undefined {
  const { workspace } = directiveRow(ctx, directiveId);
  const ms = tables(ctx).durations.get(kindOf(workspace, spec))?.ms;
  if (!ms) return undefined;
  let estimate = estimates.get(ms);
  if (!estimate) {
    const sorted = [...ms].sort((a, b) => a - b);
    estimate = { p50: quantile(sorted, 0.5), p90: quantile(sorted, 0.9), samples: ms.length };
    estimates.set(ms, estimate);
  }
  return estimate;
}

/** When a directive may end (ms since the epoch), and for how many of its tasks that is a guess without any like task. */
export interface Forecast {
  readonly p50: number;
  readonly p90: number;
  readonly unknown: number;
}

/**
 * Estimates when a directive ends: the longest chain of what is left, or all that is left shared by the
 * servants, whichever is longer. `undefined` when nothing is known of any task that is left.
 */
export function forecast(ctx: Context, directiveId: string): Forecast | undefined {
  if (directiveRow(ctx, directiveId).finishedAt !== null) return undefined;
  const plan = planOf(ctx, directiveId);
  const left = plan.templates.map((template) => leftOf(ctx, directiveId, plan, template.index));
  const known = plan.templates.map(({ spec }) => estimateOf(ctx, directiveId, spec));
  const told = known.filter((estimate) => estimate !== undefined);
  if (told.length === 0) return undefined;
  const mean = (of: 'p50' | 'p90') => told.reduce((sum, estimate) => sum + estimate[of], 0) / told.length;
  const guess = { p50: mean('p50'), p90: mean('p90') };
  const span = (of: 'p50' | 'p90') => {
    const workers = Math.max(1, staff(ctx).length);
    const chains: number[] = [];
    let work = 0;
    for (const index of plan.order) {
      const { needs } = plan.templates[index] as Template;
      const each = known[index]?.[of] ?? guess[of];
      const { open, elapsed } = left[index] as { open: number; elapsed: number };
      const own = open === 0 ? 0 : Math.max(0, each - elapsed);
      work += Math.max(0, each * open - elapsed);
      chains[index] = own + Math.max(0, ...needs.map((need) => chains[need.template] ?? 0));
    }
    return Math.max(
      chains.reduce((longest, chain) => Math.max(longest, chain), 0),
      work / workers,
    );
  };
  const unknown = left.reduce((sum, { open }, index) => sum + (known[index] ? 0 : open), 0);
  return { p50: ctx.now() + span('p50'), p90: ctx.now() + span('p90'), unknown };
}

/** How many tasks of a template have not ended, and how long the one that runs longest has run. */
function leftOf(ctx: Context, directiveId: string, plan: Plan, template: number) {
  const { first, count } = plan.templates[template] as Template;
  let open = 0;
  let elapsed = 0;
  for (let index = first; index < first + count; index += 1) {
    const state = stateAt(ctx, directiveId, plan, index);
    if (isFinalTask(state)) continue;
    open += 1;
    if (state !== 'running') continue;
    const { startedAt } = taskAt(ctx, directiveId, plan, index);
    elapsed = Math.max(elapsed, startedAt === null ? 0 : ctx.now() - startedAt);
  }
  return { open, elapsed };
}
