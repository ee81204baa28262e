import type { Context } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import type { TaskSpec } from '../../protocol/directive.ts';
import { fillPlaceholders, hasPlaceholder } from '../../protocol/placeholders.ts';
import type { Candidate } from './choice.ts';
import { outputOf, resultOf, unpark } from './gates.ts';
import { neededTasks, planOf } from './plan.ts';
import { nextOrder, tables } from './rows.ts';
import { changeTask, directiveRow, type Task, taskAt, taskOf } from './tasks.ts';

/** The task as its servant gets it: nothing of the graph, every value filled in. */
function assignmentOf(ctx: Context, task: Task): TaskSpec {
  const { directiveId, id, spec, matrix } = task;
  const { matrix: _, condition: __, locks: ___, deadlineMs: ____, ...rest } = spec;
  const plan = planOf(ctx, directiveId);
  const fill = (text: string) =>
    fillPlaceholders(text, (placeholder) => {
      if (placeholder.kind === 'matrix') return matrix[placeholder.name] ?? '';
      if (placeholder.kind === 'result') return resultOf(ctx, directiveId, plan, placeholder.need);
      return outputOf(ctx, directiveId, plan, placeholder.need, placeholder.name);
    });
  const filled = Object.entries(spec.env).map(([name, text]) => [
    name,
    hasPlaceholder(text) ? fill(text) : text,
  ]);
  const combination = Object.entries(matrix).map(([name, text]) => [`MATRIX_${name.toUpperCase()}`, text]);
  return { ...rest, id, needs: [], env: Object.fromEntries([...combination, ...filled]) };
}

/** The commits of the tasks that this one needs, in the order of its needs, each once. */
function basesOf(ctx: Context, { directiveId, template }: Task): string[] {
  const plan = planOf(ctx, directiveId);
  const commits = [...neededTasks(plan, template)].map(
    (at) => taskAt(ctx, directiveId, plan, at).git?.commit,
  );
  return [...new Set(commits.filter((commit) => typeof commit === 'string'))];
}

/**
 * Gives a task to a servant under a lease of its own, `ahead` one that is to begin it after what it has. `false` where the
 * task is not ready any more.
 */
export function assign(
  ctx: Context,
  config: Config,
  name: string,
  { group, id, row }: Candidate,
  ahead = false,
): boolean {
  const { servants, leases, directives, ready, locks } = tables(ctx);
  ready.delete(id);
  unpark(ctx, group);
  const task = taskOf(ctx, row.directiveId, id.slice(row.directiveId.length + 1));
  const servant = servants.get(name);
  if (task?.state !== 'ready' || !servant) return false;
  const { directiveId, spec } = task;
  const lease = ctx.newId();
  const attempt = task.attempts + 1;
  const leaseMs = config.tasks.lease;
  const expiresAt = ctx.now() + leaseMs;
  leases.put(lease, {
    directiveId,
    taskId: task.id,
    servant: name,
    attempt,
    expiresAt,
    revoked: false,
    ...(ahead && { place: row }),
  });
  for (const lock of row.locks) locks.put(lock, lease);
  servants.put(name, ahead ? { ...servant, ahead: lease } : { ...servant, lease });
  directives.put(directiveId, { ...directiveRow(ctx, directiveId), served: nextOrder(ctx) });
  changeTask(ctx, task, {
    state: 'running',
    attempts: attempt,
    servant: name,
    lease,
    startedAt: null,
    progress: null,
  });
  const { workspace } = directiveRow(ctx, directiveId);
  const payload = {
    directiveId,
    workspace,
    task: assignmentOf(ctx, task),
    attempt,
    lease,
    leaseMs,
    expiresAt,
    ...(spec.git && { bases: basesOf(ctx, task) }),
  };
  const options = { correlationId: directiveId, priority: spec.priority, expiresInMs: leaseMs };
  ctx.send(name, 'sage.task.assign', payload, options);
  return true;
}

/** Gives back the locks that a lease held. */
export function unlock(ctx: Context, lease: string): void {
  const { locks } = tables(ctx);
  for (const [name, holder] of [...locks.entries()]) if (holder === lease) locks.delete(name);
}
