import type { Context } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import { assign, unlock } from './assign.ts';
import { underLease } from './attempts.ts';
import { type Candidate, choose, likesOf } from './choice.ts';
import { makeReady, settleTask } from './gates.ts';
import { finishDirective } from './graph.ts';
import { type LeaseRow, tables, taskKey } from './rows.ts';
import { staff } from './staff.ts';
import { changeTask, directiveRow, type Task, taskOf } from './tasks.ts';

/** A command that took no longer is taken for a sign that the next will not either (ms). */
const briskMs = 100;
/** So many ready tasks for each servant are more than anybody waits for. */
const plenty = 2;

/**
 * Hands one task ahead to each servant whose commands are short, so that it need not wait for this sage between two of them. Only
 * while more is ready than servants could begin, and nothing that holds a lock. What is more urgent than a task that was handed
 * ahead does not wait behind it: that one is asked back.
 */
export function handAhead(ctx: Context, config: Config): void {
  const { servants, ready } = tables(ctx);
  const members = staff(ctx);
  const best = new Map<string, Candidate | undefined>();
  for (const name of members) {
    if (ready.size === 0) return;
    const servant = servants.get(name);
    if (!servant?.available || servant.lease === null) continue;
    const wantsMore =
      servant.ahead === undefined && servant.brisk === true && ready.size > plenty * members.length;
    if (servant.ahead === undefined && !wantsMore) continue;
    const likes = likesOf(config, name);
    if (!best.has(likes.alike)) best.set(likes.alike, choose(ctx, likes));
    const found = best.get(likes.alike);
    if (!found) continue;
    if (servant.ahead !== undefined) recallFor(ctx, servant.ahead, found);
    else if (found.row.locks.length === 0) {
      assign(ctx, config, name, found, true);
      best.clear();
    }
  }
}

/** Asks a task that was handed ahead back where another is to be preferred to it. */
function recallFor(ctx: Context, id: string, { row, running }: Candidate): void {
  const lease = tables(ctx).leases.get(id);
  if (!lease?.place) return;
  const { directiveId, priority } = lease.place;
  const others = directiveRow(ctx, directiveId).counts.running ?? 0;
  // Of equal ones that of the directive which would still have less running than the other.
  if (row.priority > priority || (row.priority === priority && running + 1 < others)) recall(ctx, id, lease);
}

function recall(ctx: Context, id: string, lease: LeaseRow): void {
  if (lease.recalled || tables(ctx).servants.get(lease.servant)?.ahead !== id) return;
  tables(ctx).leases.put(id, { ...lease, recalled: true });
  const { directiveId, taskId, servant } = lease;
  // In the lane of the assignment, so as never to pass it.
  const priority = taskOf(ctx, directiveId, taskId)?.spec.priority ?? 5;
  ctx.send(servant, 'sage.task.recall', { lease: id }, { correlationId: directiveId, priority });
}

/** Asks back what was handed ahead of a directive, or of one task of it; gives whether there was any. */
export function recallAhead(ctx: Context, directiveId: string, taskId?: string): boolean {
  const { leases, servants } = tables(ctx);
  let any = false;
  for (const [, { ahead }] of [...servants.entries()]) {
    const lease = ahead === undefined ? undefined : leases.get(ahead);
    if (ahead === undefined || lease?.directiveId !== directiveId) continue;
    if (taskId !== undefined && lease.taskId !== taskId) continue;
    recall(ctx, ahead, lease);
    any = true;
  }
  return any;
}

/** Whether a task was handed ahead and has not begun. */
export function isAhead(ctx: Context, { state, servant, lease }: Task): boolean {
  return state === 'running' && lease !== null && tables(ctx).servants.get(servant ?? '')?.ahead === lease;
}

/** Notes that a servant is rid of a lease: what it was handed ahead it has begun then. `ms`: how long its command took. */
export function letGo(ctx: Context, name: string, lease: string, ms: number): void {
  const { servants } = tables(ctx);
  const servant = servants.get(name);
  if (!servant) return;
  const { ahead, ...rest } = servant;
  const brisk = ms <= briskMs;
  if (servant.lease === lease) servants.put(name, { ...rest, lease: ahead ?? null, brisk });
  else if (ahead === lease) servants.put(name, { ...rest, brisk });
}

/** Takes back an attempt that has not begun: its task stands where it stood in the queue, as if it had not been given away. */
export function takeBack(ctx: Context, name: string, id: string): void {
  const { leases, ready } = tables(ctx);
  const found = underLease(ctx, id, name);
  // One that a servant gave back by itself waited behind a command that is not short.
  letGo(ctx, name, id, found?.lease.recalled === true ? 0 : Infinity);
  if (!found) return;
  const { lease, row: task } = found;
  leases.delete(id);
  unlock(ctx, id);
  const attempts = task.attempts - 1;
  const { cancelReason } = directiveRow(ctx, task.directiveId);
  if (lease.ending) settleTask(ctx, task, lease.ending.state, { attempts, reason: lease.ending.reason });
  else if (cancelReason !== null) settleTask(ctx, task, 'cancelled', { attempts, reason: cancelReason });
  else if (!lease.place) makeReady(ctx, task, ctx.now(), { attempts });
  else {
    const again = changeTask(ctx, task, { state: 'ready', servant: null, lease: null, attempts });
    if (!again.paused) ready.put(taskKey(task.directiveId, task.id), lease.place);
  }
  finishDirective(ctx, task.directiveId);
}
