import type { Context } from '../../agents/core.ts';
import type { PayloadOf } from '../../protocol/actions.ts';
import { isFinalTask, type TaskState } from '../../protocol/states.ts';
import { changeTask, type DirectiveRow, type TaskRow, tables, taskKey } from './rows.ts';

const reportedFailures = 20;
const reportedRetries = 50;
const reportedTail = 4_000;

/** Takes a graph over: its first tasks become ready. The same directive a second time changes nothing. */
export function createGraph(ctx: Context, payload: PayloadOf<'sage.task.create'>): void {
  const { directives, members, tasks } = tables(ctx);
  const { directiveId, title, workspace } = payload;
  if (directives.has(directiveId)) return;
  const dependents = new Map<string, string[]>(payload.tasks.map((task) => [task.id, []]));
  for (const task of payload.tasks) for (const need of task.needs) dependents.get(need)?.push(task.id);
  members.put(
    directiveId,
    payload.tasks.map((task) => task.id),
  );
  directives.put(directiveId, {
    id: directiveId,
    title,
    workspace,
    createdAt: ctx.now(),
    startedAt: null,
    finishedAt: null,
    counts: { waiting: payload.tasks.length },
    revision: payload.tasks.length,
    cancelReason: null,
  });
  for (const [index, spec] of payload.tasks.entries()) {
    const row: TaskRow = {
      directiveId,
      spec,
      dependents: dependents.get(spec.id) ?? [],
      waitingFor: spec.needs.length,
      state: 'waiting',
      attempts: 0,
      failures: 0,
      lost: 0,
      history: [],
      servant: null,
      lease: null,
      exitCode: null,
      startedAt: null,
      finishedAt: null,
      reason: null,
      output: null,
      revision: index + 1,
    };
    tasks.put(taskKey(directiveId, spec.id), row);
    if (spec.needs.length === 0) makeReady(ctx, row, ctx.now());
  }
}

/** Puts a task into the ready queue, behind those of its priority. */
export function makeReady(
  ctx: Context,
  row: TaskRow,
  notBefore: number,
  changes: Partial<TaskRow> = {},
): void {
  const { ready, counters } = tables(ctx);
  const order = (counters.get('order') ?? 0) + 1;
  counters.put('order', order);
  changeTask(ctx, row, { ...changes, state: 'ready', servant: null, lease: null });
  ready.put(taskKey(row.directiveId, row.spec.id), { priority: row.spec.priority, order, notBefore });
}

/** Gives a task its final state and lets its dependants go on, or skips them when it did not succeed. */
export function settleTask(
  ctx: Context,
  row: TaskRow,
  state: TaskState,
  changes: Partial<TaskRow> = {},
): void {
  const { tasks, ready } = tables(ctx);
  ready.delete(taskKey(row.directiveId, row.spec.id));
  changeTask(ctx, row, { ...changes, state, lease: null, finishedAt: changes.finishedAt ?? ctx.now() });
  const pending = row.dependents.map((id) => ({ id, cause: row.spec.id }));
  for (let next = pending.shift(); next; next = pending.shift()) {
    const dependent = tasks.get(taskKey(row.directiveId, next.id));
    if (!dependent || isFinalTask(dependent.state)) continue;
    if (state !== 'succeeded') {
      const reason = `${next.cause} did not succeed`;
      changeTask(ctx, dependent, { state: 'skipped', reason, finishedAt: ctx.now() });
      pending.push(...dependent.dependents.map((id) => ({ id, cause: next.id })));
    } else if (dependent.waitingFor > 1) {
      changeTask(ctx, dependent, { waitingFor: dependent.waitingFor - 1 });
    } else {
      makeReady(ctx, dependent, ctx.now(), { waitingFor: 0 });
    }
  }
}

/** Reports a directive to the claude elder once none of its tasks can change any more. */
export function finishDirective(ctx: Context, directiveId: string): void {
  const { directives, members, tasks } = tables(ctx);
  const directive = directives.get(directiveId);
  if (!directive || directive.finishedAt !== null) return;
  const { waiting = 0, ready = 0, running = 0 } = directive.counts;
  if (waiting + ready + running > 0) return;
  const finishedAt = ctx.now();
  directives.put(directiveId, { ...directive, finishedAt });
  const rows = (members.get(directiveId) ?? []).map((id) => tasks.get(taskKey(directiveId, id)) as TaskRow);
  const failures = rows
    .filter((row) => row.state === 'failed')
    .slice(0, reportedFailures)
    .map((row) => ({
      taskId: row.spec.id,
      reason: row.reason ?? 'failed',
      exitCode: row.exitCode,
      tail: row.output?.tail.slice(-reportedTail) ?? '',
    }));
  const retried = rows
    .filter((row) => row.attempts > 1)
    .slice(0, reportedRetries)
    .map((row) => ({ taskId: row.spec.id, attempts: row.history.slice(-10) }));
  const report = {
    directiveId,
    outcome: outcomeOf(directive),
    summary: summaryOf(directive),
    failures,
    retried,
    durationMs: finishedAt - directive.createdAt,
  };
  ctx.send('claude_elder', 'report.to_elder.graph_finished', report, { correlationId: directiveId });
}

function outcomeOf({ counts, cancelReason }: DirectiveRow): 'completed' | 'failed' | 'cancelled' {
  if (cancelReason !== null && (counts.cancelled ?? 0) > 0) return 'cancelled';
  return (counts.failed ?? 0) + (counts.skipped ?? 0) + (counts.cancelled ?? 0) > 0 ? 'failed' : 'completed';
}

/** The number of tasks per state, without the states that no task is in. */
export function summaryOf({ counts }: DirectiveRow): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
