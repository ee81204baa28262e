import type { Context } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import { isHalted } from './halts.ts';
import { changeTask, directiveOf, type TaskRow, tables } from './rows.ts';

/** Takes the ready task with the highest priority, the longest waiting first. */
function takeNext(ctx: Context): TaskRow | undefined {
  const { ready, tasks } = tables(ctx);
  const now = ctx.now();
  let best: { key: string; priority: number; order: number } | undefined;
  for (const [key, { priority, order, notBefore }] of ready.entries()) {
    if (notBefore > now || isHalted(ctx, directiveOf(key))) continue;
    if (!best || priority > best.priority || (priority === best.priority && order < best.order)) {
      best = { key, priority, order };
    }
  }
  if (!best) return undefined;
  ready.delete(best.key);
  return tasks.get(best.key);
}

/** Hands ready tasks to idle servants, each under a lease of its own. */
export function dispatch(ctx: Context, config: Config): void {
  const { servants, leases, directives } = tables(ctx);
  for (const name of ctx.servants) {
    const servant = servants.get(name);
    if (!servant?.available || servant.lease !== null) continue;
    const row = takeNext(ctx);
    if (!row) return;
    const { directiveId, spec } = row;
    const lease = ctx.newId();
    const attempt = row.attempts + 1;
    const leaseMs = config.tasks.lease;
    const expiresAt = ctx.now() + leaseMs;
    leases.put(lease, { directiveId, taskId: spec.id, servant: name, attempt, expiresAt, revoked: false });
    servants.put(name, { ...servant, lease });
    changeTask(ctx, row, { state: 'running', attempts: attempt, servant: name, lease, startedAt: null });
    const workspace = directives.get(directiveId)?.workspace ?? '';
    const payload = { directiveId, workspace, task: spec, attempt, lease, leaseMs, expiresAt };
    const options = { correlationId: directiveId, priority: spec.priority, expiresInMs: leaseMs };
    ctx.send(name, 'sage.task.assign', payload, options);
  }
}
