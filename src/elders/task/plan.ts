import type { Context } from '../../agents/core.ts';
import { type Condition, outlivesFailure, parseCondition } from '../../protocol/condition.ts';
import type { TaskSpec } from '../../protocol/directive.ts';
import { type ExpandedTask, expandTask } from '../../protocol/matrix.ts';
import { type PlanRow, tables } from './rows.ts';

/** A need of a template: another template as a whole, or one task of it. */
interface Need {
  readonly template: number;
  /** Index of the one task; `null` means all of the template. */
  readonly task: number | null;
}

/** A task as it was written. All that its matrix expands into have the same needs, so they are counted here. */
export interface Template {
  readonly index: number;
  readonly spec: TaskSpec;
  /** Index of its first task; the others follow. */
  readonly first: number;
  readonly count: number;
  /** Revision of its first task as long as that has no row; the others follow. */
  readonly revision: number;
  readonly needs: readonly Need[];
  /** How many tasks it needs. */
  needed: number;
  /** Its own priority, or a higher one of something that waits for it. */
  priority: number;
  readonly condition: Condition | null;
  /** Whether it may run after a need that did not succeed. */
  readonly outlivesFailure: boolean;
  /** Templates that need all of this one. */
  readonly neededBy: number[];
}

/** The graph of a directive: a pure function of the rows that hold it, so it is never stored. */
export interface Plan {
  readonly templates: readonly Template[];
  readonly tasks: readonly ExpandedTask[];
  readonly indexOf: ReadonlyMap<string, number>;
  /** Indexes of the templates, each after what it needs. */
  readonly order: readonly number[];
  /** Templates that need one task alone, by the index of that task. */
  readonly neededAlone: ReadonlyMap<number, readonly number[]>;
}

class PlanBuilder implements Plan {
  readonly chunks: PlanRow[] = [];
  readonly templates: Template[] = [];
  readonly tasks: ExpandedTask[] = [];
  readonly indexOf = new Map<string, number>();
  readonly order: number[] = [];
  readonly neededAlone = new Map<number, number[]>();
  readonly #templateOf = new Map<string, number>();

  add(chunk: PlanRow): void {
    this.chunks.push(chunk);
    const from = this.templates.length;
    const firstOfChunk = this.tasks.length;
    const firsts = chunk.tasks.map((spec, offset) => this.#expand(spec, from + offset));
    for (const [offset, spec] of chunk.tasks.entries()) {
      const first = firsts[offset] as number;
      const end = firsts[offset + 1] ?? this.tasks.length;
      const revision = chunk.revision + 1 + first - firstOfChunk;
      this.#connect(spec, { index: from + offset, first, count: end - first, revision });
    }
    this.#link(from);
    this.#sort(from);
    this.#inherit(from);
  }

  #expand(spec: TaskSpec, template: number): number {
    const first = this.tasks.length;
    for (const task of expandTask(spec, template)) {
      this.indexOf.set(task.id, this.tasks.length);
      this.tasks.push(task);
    }
    this.#templateOf.set(spec.id, template);
    return first;
  }

  #connect(spec: TaskSpec, place: Pick<Template, 'index' | 'first' | 'count' | 'revision'>): void {
    const needs: Need[] = spec.needs.map((need) => {
      const template = this.#templateOf.get(need);
      if (template !== undefined) return { template, task: null };
      const task = this.indexOf.get(need) as number;
      return { template: (this.tasks[task] as ExpandedTask).template, task };
    });
    const condition = spec.condition === undefined ? null : parseCondition(spec.condition);
    this.templates.push({
      ...place,
      spec,
      needs,
      needed: 0,
      priority: spec.priority,
      condition,
      outlivesFailure: condition !== null && outlivesFailure(condition),
      neededBy: [],
    });
  }

  #link(from: number): void {
    for (const template of this.templates.slice(from)) {
      for (const need of template.needs) {
        const source = this.templates[need.template] as Template;
        template.needed += need.task === null ? source.count : 1;
        if (need.task === null) source.neededBy.push(template.index);
        else this.neededAlone.set(need.task, [...(this.neededAlone.get(need.task) ?? []), template.index]);
      }
    }
  }

  /** Puts what is new behind what it needs; what was there before needs nothing of it. */
  #sort(from: number): void {
    const missing = new Map<number, number>();
    const free: number[] = [];
    const isNew = ({ template }: Need) => template >= from;
    for (const { index, needs } of this.templates.slice(from)) {
      const waits = needs.filter(isNew).length;
      if (waits === 0) free.push(index);
      else missing.set(index, waits);
    }
    const waiters = new Map<number, number[]>();
    for (const { index, needs } of this.templates.slice(from)) {
      for (const need of needs.filter(isNew)) {
        const list = waiters.get(need.template);
        if (list) list.push(index);
        else waiters.set(need.template, [index]);
      }
    }
    for (let next = free.pop(); next !== undefined; next = free.pop()) {
      this.order.push(next);
      for (const waiter of waiters.get(next) ?? []) {
        const waits = (missing.get(waiter) as number) - 1;
        missing.set(waiter, waits);
        if (waits === 0) free.push(waiter);
      }
    }
  }

  /** Lets priorities rise to whatever the urgent waits for. */
  #inherit(from: number): void {
    const raised = this.templates.slice(from);
    for (let next = raised.pop(); next; next = raised.pop()) {
      for (const need of next.needs) {
        const source = this.templates[need.template] as Template;
        if (source.priority >= next.priority) continue;
        source.priority = next.priority;
        raised.push(source);
      }
    }
  }
}

/** By the first row of a plan: what was built from its rows. Rows keep their identity until they change. */
const built = new WeakMap<PlanRow, PlanBuilder>();

/** Gives the graph of a directive. */
export function planOf(ctx: Context, directiveId: string): Plan {
  const { plans } = tables(ctx);
  const rows: PlanRow[] = [];
  for (let row = plans.get(`${directiveId}/0`); row; row = plans.get(`${directiveId}/${rows.length}`)) {
    rows.push(row);
  }
  const [head] = rows;
  if (!head) return new PlanBuilder();
  let plan = built.get(head);
  // An addition that was rolled back left a plan with more rows, or another one in its place.
  if (!plan?.chunks.every((chunk, index) => chunk === rows[index])) plan = new PlanBuilder();
  for (const row of rows.slice(plan.chunks.length)) plan.add(row);
  built.set(head, plan);
  return plan;
}

/** Lists the templates that wait for a task. */
export function dependentsOf(plan: Plan, task: number): number[] {
  const { template } = plan.tasks[task] as ExpandedTask;
  return [...(plan.templates[template] as Template).neededBy, ...(plan.neededAlone.get(task) ?? [])];
}

/** Lists the indexes of the tasks that a template needs. */
export function* neededTasks(plan: Plan, template: Template): Generator<number> {
  for (const { template: index, task } of template.needs) {
    if (task !== null) yield task;
    else {
      const { first, count } = plan.templates[index] as Template;
      for (let at = first; at < first + count; at += 1) yield at;
    }
  }
}
