import type { Context } from '../../agents/core.ts';
import type { PayloadOf } from '../../protocol/actions.ts';
import type { TaskSpec } from '../../protocol/directive.ts';
import { ElderError } from '../../protocol/errors.ts';
import { isFinalTask } from '../../protocol/states.ts';
import { checkTasks } from '../../protocol/task-check.ts';
import { checkGraph } from '../../protocol/task-graph.ts';
import { countKept } from './archive.ts';
import { watchDeadlines } from './deadlines.ts';
import { open } from './gates.ts';
import { neededTasks, planOf } from './plan.ts';
import { type DirectiveRow, gateKey, tables } from './rows.ts';
import { count, directiveRow, stateAt, taskAt } from './tasks.ts';

const reportedFailures = 20;
const reportedRetries = 50;
const reportedTail = 4_000;

/** Takes a graph over: its first tasks become ready. The same directive a second time changes nothing. */
export function createGraph(ctx: Context, payload: PayloadOf<'sage.task.create'>): void {
  const { directives, deadlines } = tables(ctx);
  const { directiveId, title, workspace, deadlineMs } = payload;
  if (directives.has(directiveId)) return;
  directives.put(directiveId, {
    id: directiveId,
    title,
    workspace,
    createdAt: ctx.now(),
    startedAt: null,
    finishedAt: null,
    counts: {},
    revision: 0,
    cancelReason: null,
  });
  addChunk(ctx, directiveId, payload.tasks);
  if (deadlineMs !== undefined) deadlines.put(`${directiveId}/`, ctx.now() + deadlineMs);
}

/**
 * Adds tasks to a graph that is being worked on; they may need what stands in it. Throws `conflict` for a
 * directive that has ended, `malformed` for tasks that do not fit, and then adds none.
 */
export function addTasks(ctx: Context, directiveId: string, tasks: readonly TaskSpec[]): number {
  const directive = tables(ctx).directives.get(directiveId);
  if (!directive) throw new ElderError('not_found', `the task sage has no directive ${directiveId}`);
  if (directive.finishedAt !== null || directive.cancelReason !== null) {
    throw new ElderError('conflict', `directive ${directiveId} has ended, or is being ended`);
  }
  const plan = planOf(ctx, directiveId);
  const known = new Set([...plan.indexOf.keys(), ...plan.templates.map(({ spec }) => spec.id)]);
  const [flaw] = [...checkGraph(tasks, known), ...checkTasks(tasks, plan.tasks.length)];
  if (flaw) throw new ElderError('malformed', `${flaw.path.join('.')}: ${flaw.message}`);
  const before = plan.tasks.length;
  addChunk(ctx, directiveId, tasks);
  return planOf(ctx, directiveId).tasks.length - before;
}

function addChunk(ctx: Context, directiveId: string, tasks: readonly TaskSpec[]): void {
  const { plans, gates } = tables(ctx);
  const before = planOf(ctx, directiveId);
  const { length: tasksBefore } = before.tasks;
  const { length: from } = before.templates;
  let chunk = 0;
  while (plans.has(`${directiveId}/${chunk}`)) chunk += 1;
  plans.put(`${directiveId}/${chunk}`, { revision: directiveRow(ctx, directiveId).revision, tasks });
  const plan = planOf(ctx, directiveId);
  const added = plan.tasks.length - tasksBefore;
  count(ctx, directiveId, { waiting: added }, added);
  for (const template of plan.templates.slice(from)) {
    // What an addition needs may have ended already.
    const states =
      from === 0 ? [] : [...neededTasks(plan, template)].map((at) => stateAt(ctx, directiveId, plan, at));
    const ended = states.filter(isFinalTask);
    const bad = ended.some((state) => state !== 'succeeded');
    if (ended.length > 0) {
      const failed = ended.includes('failed');
      gates.put(gateKey(directiveId, template.index), { ended: ended.length, bad, failed });
    }
    if (ended.length === template.needed) open(ctx, directiveId, template);
  }
  watchDeadlines(ctx, directiveRow(ctx, directiveId), plan.templates.slice(from));
}

/** Reports a directive to the claude elder once none of its tasks can change any more. */
export function finishDirective(ctx: Context, directiveId: string): void {
  const { directives, deadlines, finished } = tables(ctx);
  const directive = directives.get(directiveId);
  if (!directive || directive.finishedAt !== null) return;
  const { waiting = 0, ready = 0, running = 0 } = directive.counts;
  if (waiting + ready + running > 0) return;
  const finishedAt = ctx.now();
  directives.put(directiveId, { ...directive, finishedAt });
  deadlines.delete(`${directiveId}/`);
  const plan = planOf(ctx, directiveId);
  for (const { index } of plan.templates) deadlines.delete(gateKey(directiveId, index));
  finished.put(directiveId, { at: finishedAt, tasks: plan.tasks.length });
  countKept(ctx, plan.tasks.length);
  const report = {
    directiveId,
    outcome: outcomeOf(directive),
    summary: summaryOf(directive),
    ...stories(ctx, directiveId),
    durationMs: finishedAt - directive.createdAt,
  };
  ctx.send('claude_elder', 'report.to_elder.graph_finished', report, { correlationId: directiveId });
}

/** What the report of a directive tells of single tasks: the first that failed, the first that were tried again. */
function stories(ctx: Context, directiveId: string) {
  const plan = planOf(ctx, directiveId);
  const failures: PayloadOf<'report.to_elder.graph_finished'>['failures'] = [];
  const retried: PayloadOf<'report.to_elder.graph_finished'>['retried'] = [];
  for (const index of plan.tasks.keys()) {
    const { id, state, attempts, reason, exitCode, output, history } = taskAt(ctx, directiveId, plan, index);
    if (state === 'failed' && failures.length < reportedFailures) {
      const tail = output?.tail.slice(-reportedTail) ?? '';
      failures.push({ taskId: id, reason: reason ?? 'failed', exitCode, tail });
    }
    if (attempts > 1 && retried.length < reportedRetries) {
      retried.push({ taskId: id, attempts: history.slice(-10) });
    }
  }
  return { failures, retried };
}

/** A task that was skipped fails nothing by itself: what it was skipped for does, or its own condition was meant so. */
function outcomeOf({ counts, cancelReason }: DirectiveRow): 'completed' | 'failed' | 'cancelled' {
  const { cancelled = 0, failed = 0 } = counts;
  if (cancelReason !== null && cancelled > 0) return 'cancelled';
  return failed + cancelled > 0 ? 'failed' : 'completed';
}

/** The number of tasks per state, without the states that no task is in. */
export function summaryOf({ counts }: DirectiveRow): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, size]) => size > 0));
}
