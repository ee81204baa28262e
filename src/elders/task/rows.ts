import type { Context } from '../../agents/core.ts';
import type { PayloadOf } from '../../protocol/actions.ts';
import type {
  AttemptProgress,
  AttemptRecord,
  GitResult,
  TaskRecord,
  TaskSpec,
  TestSummary,
} from '../../protocol/directive.ts';
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
  /** When it was cancelled and the revision of that: tasks that have no row of their own are cancelled since. */
  readonly cancelled?: { readonly at: number; readonly revision: number };
  /** Why none of its tasks is handed out now. */
  readonly paused?: string;
  /** When one of its tasks was last handed out, as a count over all directives. */
  readonly served?: number;
  /** Its tasks are no longer kept. */
  readonly archived?: true;
}

/** Some tasks of a directive as they were written; they never change. */
export interface PlanRow {
  /** The revision of the directive before they were added. */
  readonly revision: number;
  readonly tasks: readonly TaskSpec[];
}

/** What is kept of a task; what it lacks is as in `freshTask`. A task without a row has not begun to matter. */
export interface TaskRow {
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
  readonly outputs: Readonly<Record<string, string>> | null;
  readonly tests: TestSummary | null;
  readonly git: GitResult | null;
  readonly progress: AttemptProgress | null;
  /** It is not handed out until somebody resumes it. */
  readonly paused: boolean;
  readonly revision: number;
}

export const freshTask: TaskRow = {
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
  outputs: null,
  tests: null,
  git: null,
  progress: null,
  paused: false,
  revision: 0,
};

/** How far the needs of a template are; absent while none has ended. */
export interface GateRow {
  /** How many of the tasks that it needs have ended. */
  readonly ended: number;
  /** Whether one of them did not succeed. */
  readonly bad: boolean;
  /** Whether one of them failed, or was skipped because of a failure. */
  readonly failed: boolean;
  /** Set once its tasks were skipped; those without a row of their own are. */
  readonly skipped?: { readonly reason: string; readonly at: number; readonly revision: number };
}

/** A template whose needs have ended, and whose tasks become ready bit by bit. */
export interface ReleaseRow {
  readonly directiveId: string;
  readonly template: number;
  /** Index of the next task to release. */
  readonly next: number;
  readonly priority: number;
  readonly order: number;
  /** The ready group that has enough waiting in it. */
  readonly parked: string | null;
}

/** A task that may run: the highest priority first, then the earliest deadline, then the lowest order. */
export interface ReadyRow {
  readonly directiveId: string;
  readonly priority: number;
  readonly deadlineAt: number | null;
  readonly order: number;
  readonly labels: readonly string[];
  readonly locks: readonly string[];
  /** Since when it waits for a servant (ms since the epoch). */
  readonly at?: number;
}

/** A task that becomes ready later. */
export interface DelayedRow extends ReadyRow {
  readonly notBefore: number;
}

/** Which servants are given tasks, as the manager says. */
export type StaffRow = PayloadOf<'sage.task.servants'>;

/** How many tasks wait for servants of each pool, and since when the one that is next does; times are ms since the epoch. */
export interface DemandRow {
  readonly at: number;
  readonly pools: Readonly<Record<string, { readonly ready: number; readonly since: number }>>;
}

export interface ServantRow {
  readonly incarnation: number;
  /** What it was given and has not reported as over; it gets nothing else meanwhile. */
  readonly lease: string | null;
  /** Takes work. A servant that drains does not. */
  readonly available: boolean;
  /** What it is to begin as soon as it has ended that; it gives it back where that lasts. */
  readonly ahead?: string;
  /** Whether what it ran last was short. */
  readonly brisk?: boolean;
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
  /** Why this sage ends the attempt: what it reports then is the end of the task. */
  readonly ending?: { readonly state: 'failed' | 'cancelled'; readonly reason: string };
  /** Of an attempt that was handed ahead: its place in the queue, should it come back. */
  readonly place?: ReadyRow;
  /** Its servant was asked to give it back unless it has begun. */
  readonly recalled?: boolean;
}

export const taskKey = (directiveId: string, taskId: string) => `${directiveId}/${taskId}`;
export const gateKey = (directiveId: string, template: number) => `${directiveId}/${template}`;

/** Gives the directive of a key of this file, in whose ids there is no slash. */
export const directiveOf = (key: string) => key.slice(0, key.indexOf('/'));

/** Which tasks can stand in for each other in the queue: those of one directive with equal labels and locks. */
export function readyGroup({
  directiveId,
  labels,
  locks,
}: Omit<ReadyRow, 'priority' | 'order' | 'deadlineAt' | 'at'>): string {
  return `${directiveId}\n${labels.join(' ')}\n${locks.join(' ')}`;
}

const never = Number.MAX_SAFE_INTEGER;

/** The orders in which rows are found. */
export const orders = {
  ready: (row: ReadyRow) => ({
    group: readyGroup(row),
    rank: [-row.priority, row.deadlineAt ?? never, row.order],
  }),
  delayed: (row: DelayedRow) => ({ group: '', rank: [row.notBefore] }),
  releases: (row: ReleaseRow) => ({ group: row.parked ?? '', rank: [-row.priority, row.order] }),
  deadlines: (at: number) => ({ group: '', rank: [at] }),
  durations: (row: DurationRow) => ({ group: '', rank: [row.at] }),
  finished: (row: { readonly at: number }) => ({ group: '', rank: [row.at] }),
};

/** How long like tasks took, the newest last (ms). */
export interface DurationRow {
  readonly ms: readonly number[];
  readonly at: number;
}

/** Opens the tables of the task sage. */
export function tables(ctx: Context) {
  return {
    directives: ctx.table<DirectiveRow>('directives'),
    /** Chunk by chunk: `ID/0`, `ID/1`, … */
    plans: ctx.table<PlanRow>('plans'),
    tasks: ctx.table<Partial<TaskRow>>('tasks'),
    gates: ctx.table<GateRow>('gates'),
    releases: ctx.ordered<ReleaseRow>('releases'),
    ready: ctx.ordered<ReadyRow>('ready'),
    delayed: ctx.ordered<DelayedRow>('delayed'),
    /** By `ID/TEMPLATE`, or `ID/` for the directive itself: ms since the epoch. */
    deadlines: ctx.ordered<number>('deadlines'),
    durations: ctx.ordered<DurationRow>('durations'),
    /** Directives that have ended and still have their tasks. */
    finished: ctx.ordered<{ readonly at: number; readonly tasks: number }>('finished'),
    servants: ctx.table<ServantRow>('servants'),
    /** At most one row, `now`. */
    staff: ctx.table<StaffRow>('staff'),
    /** At most one row, `now`. */
    demand: ctx.table<DemandRow>('demand'),
    leases: ctx.table<LeaseRow>('leases'),
    /** Which lease holds a lock. */
    locks: ctx.table<string>('locks'),
    counters: ctx.table<number>('counters'),
    /** Reasons of the halts in force, by directive; `*` is all of them. */
    halts: ctx.table<string>('halts'),
  };
}

/** Counts one on and gives the number: an order over everything that this sage does. */
export function nextOrder(ctx: Context): number {
  const { counters } = tables(ctx);
  const order = (counters.get('order') ?? 0) + 1;
  counters.put('order', order);
  return order;
}
