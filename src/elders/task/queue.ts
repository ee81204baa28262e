import type { Context } from '../../agents/core.ts';
import { nextOrder, tables, taskKey } from './rows.ts';
import { directiveRow, type Task } from './tasks.ts';

/** Puts a ready task into the queue, or, until its time has come, among the delayed. */
export function enqueue(
  ctx: Context,
  task: Task,
  wants: { readonly labels: readonly string[]; readonly locks: readonly string[] },
  notBefore: number,
): void {
  const { ready, delayed } = tables(ctx);
  const { directiveId, spec, template } = task;
  const { createdAt } = directiveRow(ctx, directiveId);
  const row = {
    directiveId,
    priority: template.priority,
    deadlineAt: spec.deadlineMs === undefined ? null : createdAt + spec.deadlineMs,
    order: nextOrder(ctx),
    ...wants,
  };
  const key = taskKey(directiveId, task.id);
  if (notBefore <= ctx.now()) ready.put(key, row);
  else delayed.put(key, { ...row, notBefore });
}

/** Moves the delayed tasks whose time has come into the queue. */
export function wakeDelayed(ctx: Context): void {
  const { ready, delayed } = tables(ctx);
  for (let head = delayed.first(''); head && head.row.notBefore <= ctx.now(); head = delayed.first('')) {
    const { notBefore: _, ...row } = head.row;
    delayed.delete(head.id);
    ready.put(head.id, row);
  }
}
