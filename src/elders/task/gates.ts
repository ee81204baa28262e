import type { Context } from '../../agents/core.ts';
import { type ConditionFacts, evaluateCondition, type NeedResult } from '../../protocol/condition.ts';
import { isFinalTask, type TaskState } from '../../protocol/states.ts';
import { dependentsOf, type Plan, planOf, type Template } from './plan.ts';
import { enqueue } from './queue.ts';
import { type GateRow, gateKey, nextOrder, type ReleaseRow, readyGroup, tables, taskKey } from './rows.ts';
import { changeTask, count, stateAt, type Task, taskAt } from './tasks.ts';

/** How many tasks one step makes ready or skips, so that no commit becomes huge. */
const releasedPerStep = 500;
/** A group with as many ready tasks gets no more of the same or a lower priority until half are gone. */
const enoughReady = 1_000;

const closed: GateRow = { ended: 0, bad: false, failed: false };

/** Something that ended: how many tasks at once, and how. */
interface Ended {
  readonly template: number;
  readonly tasks: number;
  readonly bad: boolean;
  readonly failed: boolean;
}

/** Lets a template whose needs have ended go on. */
export function open(ctx: Context, directiveId: string, template: Template): void {
  tables(ctx).releases.put(gateKey(directiveId, template.index), {
    directiveId,
    template: template.index,
    next: template.first,
    priority: template.priority,
    order: nextOrder(ctx),
    parked: null,
  });
}

/** Gives a task its final state and tells those that wait for it. */
export function settleTask(
  ctx: Context,
  task: Task,
  state: TaskState,
  changes: Parameters<typeof changeTask>[2] = {},
): void {
  const { directiveId, id, index } = task;
  const { ready, delayed, gates } = tables(ctx);
  ready.delete(taskKey(directiveId, id));
  delayed.delete(taskKey(directiveId, id));
  const finishedAt = changes.finishedAt ?? ctx.now();
  changeTask(ctx, task, { ...changes, state, lease: null, paused: false, finishedAt });
  const plan = planOf(ctx, directiveId);
  const inherited = gates.get(gateKey(directiveId, task.template.index))?.failed === true;
  const failed = state === 'failed' || (state === 'skipped' && inherited);
  const ended = { tasks: 1, bad: state !== 'succeeded', failed };
  const pending = dependentsOf(plan, index).map((template): [Ended, string] => [{ template, ...ended }, id]);
  propagate(ctx, directiveId, plan, pending);
}

function propagate(ctx: Context, directiveId: string, plan: Plan, pending: [Ended, string][]): void {
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [{ template: index, tasks, bad, failed }, cause] = next;
    const { gates } = tables(ctx);
    const key = gateKey(directiveId, index);
    const before = gates.get(key) ?? closed;
    const gate = {
      ...before,
      ended: before.ended + tasks,
      bad: before.bad || bad,
      failed: before.failed || failed,
    };
    gates.put(key, gate);
    const template = plan.templates[index] as Template;
    if (gate.skipped) continue;
    if (gate.bad && !template.outlivesFailure) {
      pending.push(...skip(ctx, directiveId, plan, template, `${cause} did not succeed`));
    } else if (gate.ended === template.needed) {
      open(ctx, directiveId, template);
    }
  }
}

/** Skips all tasks of a template at once and gives what that ends. */
function skip(
  ctx: Context,
  directiveId: string,
  plan: Plan,
  template: Template,
  reason: string,
): [Ended, string][] {
  const { gates, tasks } = tables(ctx);
  const { index, first, count: size, spec } = template;
  const alone: [Ended, string][] = [];
  const gate = gates.get(gateKey(directiveId, index)) ?? closed;
  const ended = { bad: true, failed: gate.failed };
  let bulk = 0;
  let skipped = 0;
  for (let at = first; at < first + size; at += 1) {
    const state = stateAt(ctx, directiveId, plan, at);
    if (isFinalTask(state)) continue;
    skipped += 1;
    if (tasks.has(taskKey(directiveId, plan.tasks[at]?.id ?? ''))) {
      changeTask(ctx, taskAt(ctx, directiveId, plan, at), {
        state: 'skipped',
        reason,
        finishedAt: ctx.now(),
      });
    } else bulk += 1;
    for (const dependent of plan.neededAlone.get(at) ?? []) {
      alone.push([{ template: dependent, tasks: 1, ...ended }, plan.tasks[at]?.id ?? '']);
    }
  }
  if (bulk > 0) {
    const revision = count(ctx, directiveId, { waiting: -bulk, skipped: bulk });
    gates.put(gateKey(directiveId, index), { ...gate, skipped: { reason, at: ctx.now(), revision } });
  }
  if (skipped === 0) return alone;
  const whole = template.neededBy.map((dependent): [Ended, string] => [
    { template: dependent, tasks: skipped, ...ended },
    spec.id,
  ]);
  return [...whole, ...alone];
}

function factsOf(
  ctx: Context,
  directiveId: string,
  plan: Plan,
  template: Template,
  task: Task,
): ConditionFacts {
  const gate = tables(ctx).gates.get(gateKey(directiveId, template.index)) ?? closed;
  return {
    succeeded: !gate.bad,
    failed: gate.failed,
    result: (need) => resultOf(ctx, directiveId, plan, need),
    output: (need, name) => outputOf(ctx, directiveId, plan, need, name),
    matrix: task.matrix,
  };
}

/** The indexes of the tasks that a name in `needs` stands for. */
function namedTasks(plan: Plan, need: string): number[] {
  const named = plan.templates.find(({ spec }) => spec.id === need);
  if (!named) {
    const index = plan.indexOf.get(need);
    return index === undefined ? [] : [index];
  }
  return Array.from({ length: named.count }, (_, offset) => named.first + offset);
}

const worstFirst = ['failed', 'cancelled', 'skipped'] as const;

/** How a need ended; of a matrix, the worst. */
export function resultOf(ctx: Context, directiveId: string, plan: Plan, need: string): NeedResult {
  const states = new Set(namedTasks(plan, need).map((index) => stateAt(ctx, directiveId, plan, index)));
  return worstFirst.find((state) => states.has(state)) ?? 'succeeded';
}

/** An output of a need; of a matrix, the first that is not empty. */
export function outputOf(ctx: Context, directiveId: string, plan: Plan, need: string, name: string): string {
  for (const index of namedTasks(plan, need)) {
    const value = taskAt(ctx, directiveId, plan, index).outputs?.[name];
    if (value) return value;
  }
  return '';
}

function isFilled(ctx: Context, group: string, priority: number): boolean {
  const { ready } = tables(ctx);
  return ready.count(group) >= enoughReady && (ready.first(group)?.row.priority ?? 0) >= priority;
}

/** Makes the tasks of open templates ready, the most urgent first, as many as one step may. Gives the directives touched. */
export function release(ctx: Context): Set<string> {
  const { releases } = tables(ctx);
  const touched = new Set<string>();
  let budget = releasedPerStep;
  for (let head = releases.first(''); head && budget > 0; head = releases.first('')) {
    const { id, row } = head;
    const plan = planOf(ctx, row.directiveId);
    const template = plan.templates[row.template];
    const end = template ? template.first + template.count : 0;
    touched.add(row.directiveId);
    const group = template && readyGroup({ directiveId: row.directiveId, ...wants(template) });
    let next = row.next;
    let filled = false;
    for (; template && next < end && budget > 0; next += 1) {
      filled = isFilled(ctx, group ?? '', row.priority);
      if (filled) break;
      releaseOne(ctx, taskAt(ctx, row.directiveId, plan, next), plan);
      budget -= 1;
    }
    if (next >= end) releases.delete(id);
    else releases.put(id, { ...row, next, parked: filled ? (group ?? null) : null });
  }
  return touched;
}

function wants({ spec }: Template) {
  return { labels: [...(spec.labels ?? [])].sort(), locks: [...(spec.locks ?? [])].sort() };
}

function releaseOne(ctx: Context, task: Task, plan: Plan): void {
  if (task.state !== 'waiting') return;
  const { template, directiveId } = task;
  const { condition } = template;
  if (condition && !evaluateCondition(condition, factsOf(ctx, directiveId, plan, template, task))) {
    settleTask(ctx, task, 'skipped', { reason: `not so: ${template.spec.condition}` });
  } else {
    makeReady(ctx, task, ctx.now());
  }
}

/** Puts a task into the queue, behind those of its priority; one that is paused stays out of it. */
export function makeReady(
  ctx: Context,
  task: Task,
  notBefore: number,
  changes: Parameters<typeof changeTask>[2] = {},
): void {
  const ready = changeTask(ctx, task, { ...changes, state: 'ready', servant: null, lease: null });
  if (!ready.paused) enqueue(ctx, ready, wants(task.template), notBefore);
}

/** Lets the releases go on that waited for a group to be worked off. */
export function unpark(ctx: Context, group: string): void {
  const { ready, releases } = tables(ctx);
  if (ready.count(group) > enoughReady / 2) return;
  for (let head = releases.first(group); head; head = releases.first(group)) {
    releases.put(head.id, { ...(head.row satisfies ReleaseRow), parked: null });
  }
}
