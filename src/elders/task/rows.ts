import type { Context } from '../../agents/core.ts';
import type { AttemptRecord, TaskRecord, TaskSpec } from '../../protocol/directive.ts';
import type { TaskState } from '../../protocol/states.ts';

/** A directive whose graph this sage owns. Times are ms since the epoch. */
export interface DirectiveRow {
  readonly id: string;
  readonly title: string;
  readonly workspace: string;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Tasks per state. */
  readonly counts: Readonly<Partial<Record<TaskState, number>>>;
  /** Counts the changes of its tasks. */
  readonly revision: number;
  readonly cancelReason: string | null;
}

export interface TaskRow {
  readonly directiveId: string;
  readonly spec: TaskSpec;
  readonly dependents: readonly string[];
  /** How many of its needs have not succeeded yet. */
  readonly waitingFor: number;
  readonly state: TaskState;
  readonly attempts: number;
  /** Attempts that ended by the command's own fault, which `retries` pay for. */
  readonly failures: number;
  /** Attempts whose servant was lost. */
  readonly lost: number;
  readonly history: readonly AttemptRecord[];
  readonly servant: string | null;
  readonly lease: string | null;
  readonly exitCode: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly reason: string | null;
  readonly output: TaskRecord['output'];
  readonly revision: number;
}

/** A task that may run: the highest priority first, then the lowest order. */
export interface ReadyRow {
  readonly priority: number;
  readonly order: number;
  readonly notBefore: number;
}

export interface ServantRow {
  readonly incarnation: number;
  /** What it was given and has not reported as over; it gets nothing else meanwhile. */
  readonly lease: string | null;
  /** Takes work. A servant that drains does not. */
  readonly available: boolean;
}

export interface LeaseRow {
  readonly directiveId: string;
  readonly taskId: string;
  readonly servant: string;
  readonly attempt: number;
  readonly expiresAt: number;
  /** It ran out once, and its servant was told to stop. */
  readonly revoked: boolean;
  /** An emergency ends this attempt, which is nobody's failure. */
  readonly halted?: boolean;
}

export const taskKey = (directiveId: string, taskId: string) => `${directiveId}/${taskId}`;

/** Gives the directive of a `taskKey`, in whose ids there is no slash. */
export const directiveOf = (key: string) => key.slice(0, key.indexOf('/'));

/** Opens the tables of the task sage. */
export function tables(ctx: Context) {
  return {
    directives: ctx.table<DirectiveRow>('directives'),
    /** Ids of the tasks of a directive, in the order of its file; apart, because they never change. */
    members: ctx.table<readonly string[]>('members'),
    tasks: ctx.table<TaskRow>('tasks'),
    ready: ctx.table<ReadyRow>('ready'),
    servants: ctx.table<ServantRow>('servants'),
    leases: ctx.table<LeaseRow>('leases'),
    counters: ctx.table<number>('counters'),
    /** Reasons of the halts in force, by directive; `*` is all of them. */
    halts: ctx.table<string>('halts'),
  };
}

/** Changes a task, and with it the counts and the revision of its directive. */
export function changeTask(ctx: Context, row: TaskRow, changes: Partial<TaskRow>): TaskRow {
  const { directives, tasks } = tables(ctx);
  const directive = directives.get(row.directiveId);
  if (!directive) throw new Error(`task ${row.spec.id} has no directive ${row.directiveId}`);
  const revision = directive.revision + 1;
  const next: TaskRow = { ...row, ...changes, revision };
  const counts = { ...directive.counts };
  if (next.state !== row.state) {
    counts[row.state] = (counts[row.state] ?? 0) - 1;
    counts[next.state] = (counts[next.state] ?? 0) + 1;
    const { directiveId, servant, attempts } = next;
    ctx.announce({ kind: 'task', directiveId, taskId: row.spec.id, state: next.state, servant, attempts });
  }
  directives.put(directive.id, { ...directive, counts, revision });
  tasks.put(taskKey(row.directiveId, row.spec.id), next);
  return next;
}
