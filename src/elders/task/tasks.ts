import type { Context } from '../../agents/core.ts';
import type { TaskSpec } from '../../protocol/directive.ts';
import type { ExpandedTask } from '../../protocol/matrix.ts';
import type { TaskState } from '../../protocol/states.ts';
import { type Plan, planOf, type Template } from './plan.ts';
import { type DirectiveRow, freshTask, gateKey, type TaskRow, tables, taskKey } from './rows.ts';

/** A task with all that is known of it. */
export interface Task extends TaskRow {
  readonly directiveId: string;
  readonly id: string;
  readonly index: number;
  readonly template: Template;
  readonly spec: TaskSpec;
  readonly matrix: Readonly<Record<string, string>>;
}

/** Gives a directive that must be there. */
export function directiveRow(ctx: Context, directiveId: string): DirectiveRow {
  const row = tables(ctx).directives.get(directiveId);
  if (!row) throw new Error(`there is no directive ${directiveId}`);
  return row;
}

/** What a task without a row is: its whole template was skipped, or its directive cancelled, or it waits. */
function derived(ctx: Context, directive: DirectiveRow, template: Template, index: number): TaskRow {
  const skipped = tables(ctx).gates.get(gateKey(directive.id, template.index))?.skipped;
  if (skipped) {
    const { reason, at, revision } = skipped;
    return { ...freshTask, state: 'skipped', reason, finishedAt: at, revision };
  }
  const { cancelled, cancelReason } = directive;
  if (cancelled) {
    const { at, revision } = cancelled;
    return { ...freshTask, state: 'cancelled', reason: cancelReason, finishedAt: at, revision };
  }
  return { ...freshTask, revision: template.revision + index - template.first };
}

/** Gives a task of a plan by its index. */
export function taskAt(ctx: Context, directiveId: string, plan: Plan, index: number): Task {
  const { id, template: at, matrix } = plan.tasks[index] as ExpandedTask;
  const template = plan.templates[at] as Template;
  const stored = tables(ctx).tasks.get(taskKey(directiveId, id));
  const row = stored
    ? { ...freshTask, ...stored }
    : derived(ctx, directiveRow(ctx, directiveId), template, index);
  return { ...row, directiveId, id, index, template, spec: template.spec, matrix };
}

/** Gives a task by its id. */
export function taskOf(ctx: Context, directiveId: string, taskId: string): Task | undefined {
  const plan = planOf(ctx, directiveId);
  const index = plan.indexOf.get(taskId);
  return index === undefined ? undefined : taskAt(ctx, directiveId, plan, index);
}

/** The state of a task of a plan, without building the task. */
export function stateAt(ctx: Context, directiveId: string, plan: Plan, index: number): TaskState {
  const { id, template } = plan.tasks[index] as ExpandedTask;
  const stored = tables(ctx).tasks.get(taskKey(directiveId, id));
  const of = plan.templates[template] as Template;
  return stored?.state ?? derived(ctx, directiveRow(ctx, directiveId), of, index).state;
}

/** The revision of a task of a plan, without building the task. */
export function revisionAt(ctx: Context, directiveId: string, plan: Plan, index: number): number {
  const { id, template } = plan.tasks[index] as ExpandedTask;
  const stored = tables(ctx).tasks.get(taskKey(directiveId, id));
  const of = plan.templates[template] as Template;
  return stored?.revision ?? derived(ctx, directiveRow(ctx, directiveId), of, index).revision;
}

const keptFields = Object.keys(freshTask) as (keyof TaskRow)[];

/** Leaves out what is as in a fresh task: most tasks of a large graph have little to tell. */
function compact(task: TaskRow): Partial<TaskRow> {
  const fields = keptFields.filter((field) => {
    const value = task[field];
    return value !== freshTask[field] && !(Array.isArray(value) && value.length === 0);
  });
  return Object.fromEntries(['state' as const, ...fields].map((field) => [field, task[field]]));
}

/** Adds to the counts of a directive and gives it its next revision. */
export function count(
  ctx: Context,
  directiveId: string,
  changes: Partial<Record<TaskState, number>>,
  revisions = 1,
): number {
  const { directives } = tables(ctx);
  const directive = directiveRow(ctx, directiveId);
  const counts = { ...directive.counts };
  for (const [state, by] of Object.entries(changes) as [TaskState, number][]) {
    counts[state] = (counts[state] ?? 0) + by;
  }
  const revision = directive.revision + revisions;
  directives.put(directiveId, { ...directive, counts, revision });
  return revision;
}

/** Changes a task, and with it the counts and the revision of its directive. */
export function changeTask(ctx: Context, task: Task, changes: Partial<TaskRow>): Task {
  const { directiveId, id } = task;
  const state = changes.state ?? task.state;
  const moved = state === task.state ? {} : { [task.state]: -1, [state]: 1 };
  const revision = count(ctx, directiveId, moved);
  const next: Task = { ...task, ...changes, revision };
  tables(ctx).tasks.put(taskKey(directiveId, id), compact(next));
  if (state !== task.state) {
    const { servant, attempts } = next;
    ctx.announce({ kind: 'task', directiveId, taskId: id, state, servant, attempts });
  }
  return next;
}
