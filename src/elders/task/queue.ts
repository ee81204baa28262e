import type { Context } from '../../agents/core.ts';
import { nextOrder, tables, taskKey } from './rows.ts';
import { directiveRow, type Task } from './tasks.ts';

/** How long a task waits at most before it is tried again (ms). */
export const longestDelayMs = 60_000;

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
    at: Math.max(notBefore, ctx.now()),
  };
  const key = taskKey(directiveId, task.id);
  if (notBefore <= ctx.now()) ready.put(key, row);
  else delayed.put(key, { ...row, notBefore });
}

/** When the next delayed task is to be looked at (ms since the epoch); one too far away stands there since the clock went back. */
export function nextDelayed(ctx: Context): number | undefined {
  const notBefore = tables(ctx).delayed.first('')?.row.notBefore;
  if (notBefore === undefined) return undefined;
  return notBefore > ctx.now() + longestDelayMs ? ctx.now() : notBefore;
}

/** Moves the delayed tasks whose time has come into the queue. */
export function wakeDelayed(ctx: Context): void {
  const { ready, delayed } = tables(ctx);
  while ((nextDelayed(ctx) ?? Infinity) <= ctx.now()) {
    const head = delayed.first('');
    if (!head) return;
    const { notBefore: _, ...row } = head.row;
    delayed.delete(head.id);
    ready.put(head.id, row);
  }
}
