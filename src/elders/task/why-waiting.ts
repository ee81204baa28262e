import type { Context } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import { isReserved, labelsOf } from '../../protocol/servant-kinds.ts';
import { tables, taskKey } from './rows.ts';
import { directiveRow, type Task } from './tasks.ts';

/** Says what a task waits for that could run as far as its needs go; `undefined` if it is only that servants are busy. */
export function whyWaiting(ctx: Context, config: Config, task: Task): string | undefined {
  if (task.state !== 'ready') return undefined;
  const { halts, delayed, locks, leases } = tables(ctx);
  const { directiveId, id, spec } = task;
  const halted = halts.get('*') ?? halts.get(directiveId);
  if (halted !== undefined) return `halted: ${halted}`;
  const { paused } = directiveRow(ctx, directiveId);
  if (paused !== undefined) return `its directive is paused: ${paused}`;
  const labels = spec.labels ?? [];
  const isTaken = ctx.servants.some((name) => {
    const own = labelsOf(config, name);
    return labels.every((label) => own.has(label)) && (labels.length > 0 || !isReserved(config, name));
  });
  if (!isTaken) {
    return labels.length > 0
      ? `no servant of this tree has ${labels.join(', ')}`
      : 'every servant of this tree takes only tasks with labels';
  }
  const retry = delayed.get(taskKey(directiveId, id));
  if (retry) return `it is tried again at ${new Date(retry.notBefore).toISOString()}`;
  for (const lock of spec.locks ?? []) {
    const holder = leases.get(locks.get(lock) ?? '');
    if (holder) return `${holder.directiveId}/${holder.taskId} holds the lock ${lock}`;
  }
  return undefined;
}
