import type { Context } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import { planOf } from './plan.ts';
import { gateKey, tables, taskKey } from './rows.ts';
import { directiveRow } from './tasks.ts';

/** How many rows one step removes. */
const removedPerStep = 2_000;

function isOver(ctx: Context, { tasks: { keepDirectives, keepTasks } }: Config): boolean {
  const { finished, counters } = tables(ctx);
  return finished.size > keepDirectives || (counters.get('keptTasks') ?? 0) > keepTasks;
}

/** Whether there are tasks to be forgotten. */
export function wantsArchiving(ctx: Context, config: Config): boolean {
  return tables(ctx).finished.size > 0 && isOver(ctx, config);
}

/** Counts the tasks of a directive that has ended, or with a negative number takes them off. */
export function countKept(ctx: Context, tasks: number): void {
  const { counters } = tables(ctx);
  counters.put('keptTasks', Math.max(0, (counters.get('keptTasks') ?? 0) + tasks));
}

/** Forgets the tasks of the directives that ended first, a part in each step; their sums stay. */
export function archive(ctx: Context, config: Config): void {
  const { finished, tasks, plans, gates, directives, counters } = tables(ctx);
  let budget = removedPerStep;
  while (budget > 0 && wantsArchiving(ctx, config)) {
    const head = finished.first('');
    if (!head) return;
    const plan = planOf(ctx, head.id);
    // Ids never begin with a space, so this counts no task.
    const cursorName = `archive ${head.id}`;
    let cursor = counters.get(cursorName) ?? 0;
    for (; cursor < plan.tasks.length && budget > 0; cursor += 1, budget -= 1) {
      tasks.delete(taskKey(head.id, plan.tasks[cursor]?.id ?? ''));
    }
    if (cursor < plan.tasks.length) {
      counters.put(cursorName, cursor);
      return;
    }
    counters.delete(cursorName);
    for (const { index } of plan.templates) gates.delete(gateKey(head.id, index));
    for (let chunk = 0; plans.has(`${head.id}/${chunk}`); chunk += 1) plans.delete(`${head.id}/${chunk}`);
    finished.delete(head.id);
    countKept(ctx, -head.row.tasks);
    directives.put(head.id, { ...directiveRow(ctx, head.id), archived: true });
  }
}
