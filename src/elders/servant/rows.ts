import type { Context } from '../../agents/core.ts';
import type { Assignment } from './servant.ts';

/** An assignment with the message that brought it, which all reports about it name as their cause. */
export interface Assigned extends Assignment {
  readonly messageId: string;
  /** When it is given back to the task sage if it still waits then (ms since the epoch). */
  readonly returnAt?: number;
}

/** The attempt under way. */
export interface Current {
  readonly assignment: Assigned;
  readonly startedAt: number | null;
  readonly renewAt: number;
}

/** Opens the tables of a servant. */
export function tables(ctx: Context) {
  return {
    /** At most one row, `now`: the attempt under way. */
    current: ctx.table<Current>('current'),
    /** Assignments that wait for the one under way, by lease. */
    queue: ctx.table<Assigned>('queue'),
    /** `reaping` while a sandbox of the predecessor may still live; `draining` once no new work is taken. */
    flags: ctx.table<true>('flags'),
    /** Reasons of the halts in force, by directive; `*` is all of them. */
    halts: ctx.table<string>('halts'),
  };
}

/** How every message about an attempt names its story and its cause. */
export function about({ directiveId, messageId }: Pick<Assigned, 'directiveId' | 'messageId'>) {
  return { correlationId: directiveId, causationId: messageId };
}
