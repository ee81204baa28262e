import type { Context } from '../../agents/core.ts';
import { type Assigned, about, tables } from './rows.ts';
import type { Assignment } from './servant.ts';

/** How long an assignment waits for the command before it, until it is given back (ms). */
const patienceMs = 1_000;

function patienceOf({ leaseMs }: Assignment): number {
  return Math.min(patienceMs, leaseMs / 4);
}

/** When an assignment that waits is given back; one further away than it was ever put is so because the clock went back. */
function returnTime(ctx: Context, assignment: Assigned): number {
  const { returnAt = Infinity } = assignment;
  if (returnAt === Infinity) return Infinity;
  return returnAt > ctx.now() + patienceOf(assignment) ? ctx.now() : returnAt;
}

/** Leaves an assignment that has not begun to others. */
export function giveBack(ctx: Context, lease: string): void {
  const { queue } = tables(ctx);
  const assignment = queue.get(lease);
  if (!assignment) return;
  queue.delete(lease);
  ctx.send('task_sage', 'report.to_sage.attempt_returned', { lease }, about(assignment));
}

/** Lets an assignment wait until the one under way has ended. */
export function wait(ctx: Context, assignment: Assigned): void {
  const { current, queue } = tables(ctx);
  const returnAt = ctx.now() + patienceOf(assignment);
  queue.put(assignment.lease, current.has('now') ? { ...assignment, returnAt } : assignment);
}

/** When the next of what waits is to be given back; `Infinity` if nothing is. */
export function nextReturn(ctx: Context): number {
  let next = Infinity;
  for (const [, assignment] of tables(ctx).queue.entries())
    next = Math.min(next, returnTime(ctx, assignment));
  return next;
}

/** Gives back what has waited for too long. */
export function returnOverdue(ctx: Context): void {
  for (const [lease, assignment] of [...tables(ctx).queue.entries()]) {
    if (returnTime(ctx, assignment) <= ctx.now()) giveBack(ctx, lease);
  }
}
