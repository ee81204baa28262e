import type { Context } from '../../agents/core.ts';
import { StateStore } from '../../agents/state-store.ts';
import { planOf } from './plan.ts';
import { orders, tables, taskKey } from './rows.ts';
import { type Task, taskAt } from './tasks.ts';

/** Reads every task out of a stored state of the task sage, by `DIRECTIVE/TASK`: for those who check it from outside. */
export function storedTasks(fields: ReadonlyMap<string, string>): Map<string, Task> {
  const store = new StateStore(fields, orders);
  const ctx: Pick<Context, 'table' | 'ordered'> = {
    table: <Row>(name: string) => store.table<Row>(name),
    ordered: <Row>(name: string) => store.ordered<Row>(name),
  };
  const found = new Map<string, Task>();
  for (const [directiveId] of tables(ctx as Context).directives.entries()) {
    const plan = planOf(ctx as Context, directiveId);
    for (const index of plan.tasks.keys()) {
      const task = taskAt(ctx as Context, directiveId, plan, index);
      found.set(taskKey(directiveId, task.id), task);
    }
  }
  return found;
}
