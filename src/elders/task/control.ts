import type { Context } from '../../agents/core.ts';
import type { PayloadOf, ReplyOf, TaskOrder } from '../../protocol/actions.ts';
import { ElderError } from '../../protocol/errors.ts';
import { isFinalTask } from '../../protocol/states.ts';
import { recallAhead } from './ahead.ts';
import { countKept } from './archive.ts';
import { makeReady, open, settleTask } from './gates.ts';
import { finishDirective } from './graph.ts';
import { endAttemptEarly, revoke } from './leases.ts';
import { dependentsOf, neededTasks, type Plan, planOf, type Template } from './plan.ts';
import { type DirectiveRow, gateKey, tables, taskKey } from './rows.ts';
import { changeTask, count, directiveRow, stateAt, type Task, taskAt } from './tasks.ts';

/** How many ids an answer names. */
const namedTasks = 100;

/** Ends every unfinished task of a directive. */
export function cancelDirective(ctx: Context, { directiveId, reason }: PayloadOf<'sage.task.cancel'>): void {
  const { directives, leases, ready, delayed, releases } = tables(ctx);
  const directive = directives.get(directiveId);
  if (!directive || directive.finishedAt !== null || directive.cancelReason !== null) return;
  const plan = planOf(ctx, directiveId);
  const { tasks } = tables(ctx);
  let untouched = 0;
  for (const index of plan.tasks.keys()) {
    const key = taskKey(directiveId, plan.tasks[index]?.id ?? '');
    if (isFinalTask(stateAt(ctx, directiveId, plan, index))) continue;
    if (!tasks.has(key)) {
      untouched += 1;
      continue;
    }
    const task = taskAt(ctx, directiveId, plan, index);
    const lease = task.lease === null ? undefined : leases.get(task.lease);
    if (task.lease !== null && lease) revoke(ctx, task.lease, lease, reason);
    else changeTask(ctx, task, { state: 'cancelled', reason, finishedAt: ctx.now(), paused: false });
    ready.delete(key);
    delayed.delete(key);
  }
  for (const { index } of plan.templates) releases.delete(gateKey(directiveId, index));
  const revision = count(ctx, directiveId, { waiting: -untouched, cancelled: untouched });
  const cancelled = { at: ctx.now(), revision };
  const { paused: _, ...row } = directiveRow(ctx, directiveId);
  directives.put(directiveId, { ...row, cancelReason: reason, cancelled });
  finishDirective(ctx, directiveId);
}

/** Carries out what a person wants of a task. Throws `not_found`, or `conflict` where it cannot be done any more. */
export function control(ctx: Context, order: TaskOrder): ReplyOf<'sage.task.control'> {
  const { directiveId, taskId, operation } = order;
  const directive = tables(ctx).directives.get(directiveId);
  if (!directive) throw new ElderError('not_found', `the task sage has no directive ${directiveId}`);
  if (directive.archived) throw new ElderError('conflict', `the tasks of ${directiveId} are archived`);
  const plan = planOf(ctx, directiveId);
  const index = taskId === null ? null : plan.indexOf.get(taskId);
  if (index === undefined)
    throw new ElderError('not_found', `directive ${directiveId} has no task ${taskId}`);
  const touched = carryOut(ctx, directive, plan, index, order);
  finishDirective(ctx, directiveId);
  return { directiveId, operation, count: touched.length, tasks: touched.slice(0, namedTasks) };
}

function carryOut(
  ctx: Context,
  directive: DirectiveRow,
  plan: Plan,
  index: number | null,
  { operation, reason, subtree }: TaskOrder,
): string[] {
  if (operation === 'retry') return retry(ctx, directive, plan, index);
  if (directive.finishedAt !== null)
    throw new ElderError('conflict', `directive ${directive.id} has ended already`);
  if (index === null && operation === 'cancel') {
    throw new ElderError('conflict', 'a whole directive is cancelled by `elders directive cancel`');
  }
  if (index === null) return pauseAll(ctx, directive, operation === 'pause' ? reason : undefined);
  const indexes = subtree ? subtreeOf(plan, index) : [index];
  const act = { pause, resume, cancel: cancelOne }[operation];
  const touched = (order: readonly number[]) =>
    order.flatMap((at) => {
      const task = taskAt(ctx, directive.id, plan, at);
      return act(ctx, task, reason) ? [task.id] : [];
    });
  // From the leaves, or what waits would be skipped before it could be cancelled.
  return operation === 'cancel' ? touched(indexes.reverse()).reverse() : touched(indexes);
}

/** The task and everything that waits for it, each after what it waits for. */
function subtreeOf(plan: Plan, index: number): number[] {
  const found = new Set([index]);
  for (const at of found) {
    for (const template of dependentsOf(plan, at)) {
      const { first, count: size } = plan.templates[template] as Template;
      for (let next = first; next < first + size; next += 1) found.add(next);
    }
  }
  return [...found];
}

function pauseAll(ctx: Context, directive: DirectiveRow, reason: string | undefined): string[] {
  const { paused: _, ...row } = directive;
  tables(ctx).directives.put(directive.id, {
    ...row,
    revision: row.revision + 1,
    ...(reason !== undefined && { paused: reason }),
  });
  if (reason !== undefined) recallAhead(ctx, directive.id);
  const { waiting = 0, ready = 0 } = directive.counts;
  return Array.from({ length: waiting + ready }, () => directive.id);
}

function pause(ctx: Context, task: Task): boolean {
  const isAhead = task.state === 'running' && recallAhead(ctx, task.directiveId, task.id);
  if (task.paused || (task.state !== 'waiting' && task.state !== 'ready' && !isAhead)) return false;
  const { ready, delayed } = tables(ctx);
  ready.delete(taskKey(task.directiveId, task.id));
  delayed.delete(taskKey(task.directiveId, task.id));
  changeTask(ctx, task, { paused: true });
  return true;
}

function resume(ctx: Context, task: Task): boolean {
  if (!task.paused) return false;
  const awake = changeTask(ctx, task, { paused: false });
  if (awake.state === 'ready') makeReady(ctx, awake, ctx.now());
  return true;
}

function cancelOne(ctx: Context, task: Task, reason: string): boolean {
  if (isFinalTask(task.state)) return false;
  if (task.lease === null) settleTask(ctx, task, 'cancelled', { reason });
  else endAttemptEarly(ctx, task.lease, { state: 'cancelled', reason });
  return true;
}

/** Starts tasks that did not succeed anew, and what was skipped because of them waits for them again. */
function retry(ctx: Context, directive: DirectiveRow, plan: Plan, index: number | null): string[] {
  if (directive.cancelReason !== null)
    throw new ElderError('conflict', `directive ${directive.id} was cancelled`);
  const states = ['failed', 'cancelled'];
  const again = (index === null ? [...plan.tasks.keys()] : [index]).filter((at) =>
    states.includes(stateAt(ctx, directive.id, plan, at)),
  );
  const [first] = again;
  if (first === undefined) {
    const what =
      index === null
        ? `no task of ${directive.id} has failed or was cancelled`
        : `task ${plan.tasks[index]?.id} is ${stateAt(ctx, directive.id, plan, index)}: only what failed or was cancelled is retried, and with it what was skipped for it`;
    throw new ElderError('conflict', what);
  }
  if (directive.finishedAt !== null) reopen(ctx, directive);
  // Tasks that failed before their needs had ended, by a deadline, wait again like all others.
  for (const at of again) {
    changeTask(ctx, taskAt(ctx, directive.id, plan, at), {
      state: 'waiting',
      finishedAt: null,
      reason: null,
      failures: 0,
      lost: 0,
    });
  }
  const waiting = new Set(again.map((at) => plan.tasks[at]?.template as number));
  for (const at of again) for (const template of reset(ctx, directive.id, plan, at)) waiting.add(template);
  for (const template of [...waiting].sort((a, b) => a - b)) regate(ctx, directive.id, plan, template);
  return again.map((at) => plan.tasks[at]?.id ?? '');
}

function reopen(ctx: Context, directive: DirectiveRow): void {
  const { directives, finished } = tables(ctx);
  countKept(ctx, -(finished.get(directive.id)?.tasks ?? 0));
  finished.delete(directive.id);
  directives.put(directive.id, { ...directiveRow(ctx, directive.id), finishedAt: null });
  ctx.send('claude_elder', 'report.to_elder.graph_reopened', { directiveId: directive.id });
}

/** Takes back what was skipped after a task, and gives the templates that waited for any of it. */
function reset(ctx: Context, directiveId: string, plan: Plan, from: number): Set<number> {
  const { gates, tasks } = tables(ctx);
  const found = new Set<number>(dependentsOf(plan, from));
  for (const index of found) {
    const template = plan.templates[index] as Template;
    const key = gateKey(directiveId, index);
    const gate = gates.get(key);
    let bulk = 0;
    let reset = 0;
    for (let at = template.first; at < template.first + template.count; at += 1) {
      if (stateAt(ctx, directiveId, plan, at) !== 'skipped') continue;
      reset += 1;
      const task = taskKey(directiveId, plan.tasks[at]?.id ?? '');
      if (tasks.has(task)) {
        const row = taskAt(ctx, directiveId, plan, at);
        changeTask(ctx, row, { state: 'waiting', reason: null, finishedAt: null });
      } else bulk += 1;
    }
    if (gate?.skipped) {
      const { skipped: _, ...rest } = gate;
      gates.put(key, rest);
    }
    if (bulk > 0) count(ctx, directiveId, { skipped: -bulk, waiting: bulk });
    if (reset === 0) continue;
    for (const next of template.neededBy) found.add(next);
    for (let at = template.first; at < template.first + template.count; at += 1) {
      for (const next of plan.neededAlone.get(at) ?? []) found.add(next);
    }
  }
  return found;
}

/** Counts the needs of a template anew and lets it go on if they have ended. */
function regate(ctx: Context, directiveId: string, plan: Plan, index: number): void {
  const { gates } = tables(ctx);
  const template = plan.templates[index] as Template;
  const states = [...neededTasks(plan, template)].map((at) => stateAt(ctx, directiveId, plan, at));
  const ended = states.filter(isFinalTask);
  gates.put(gateKey(directiveId, index), {
    ended: ended.length,
    bad: ended.some((state) => state !== 'succeeded'),
    failed: ended.includes('failed'),
  });
  if (ended.length === template.needed) open(ctx, directiveId, template);
}
