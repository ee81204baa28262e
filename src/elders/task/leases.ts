import type { Context } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import { endAttempt } from './attempts.ts';
import { type LeaseRow, tables } from './rows.ts';
import { taskOf } from './tasks.ts';

const tickCounter = 'leaseTick';

/** Gives every lease its full time again: this sage was away, so it cannot tell who renewed meanwhile. */
export function extendLeases(ctx: Context, config: Config): void {
  const { leases, counters } = tables(ctx);
  const expiresAt = ctx.now() + config.tasks.lease;
  for (const [id, lease] of [...leases.entries()]) leases.put(id, { ...lease, expiresAt });
  counters.put(tickCounter, ctx.now());
}

/** When the leases want to be looked at again (ms since the epoch). */
export function nextLeaseCheck(ctx: Context, config: Config): number | undefined {
  const { leases, counters } = tables(ctx);
  if (leases.size === 0) return undefined;
  const tick = counters.get(tickCounter) ?? 0;
  if (tick > ctx.now()) return ctx.now();
  let next = tick + config.tasks.lease / 4;
  for (const [, { expiresAt }] of leases.entries()) next = Math.min(next, expiresAt);
  return next;
}

/**
 * Deals with leases that ran out. First the servant is told to stop; only when it stays silent for the time
 * of another lease, in which it has long ended the command by itself, is the attempt counted as lost. A clock that was
 * put forward or back tells nothing about who was silent how long, so every lease begins anew.
 */
export function checkLeases(ctx: Context, config: Config): void {
  const { leases, counters } = tables(ctx);
  const now = ctx.now();
  const lastTick = counters.get(tickCounter) ?? now;
  if (now - lastTick > config.tasks.lease / 2 || now < lastTick) {
    extendLeases(ctx, config);
    return;
  }
  counters.put(tickCounter, now);
  for (const [id, lease] of [...leases.entries()]) {
    if (lease.expiresAt > now) continue;
    if (lease.revoked) giveUp(ctx, config, id, lease);
    else revokeExpired(ctx, config, id, lease);
  }
}

function revokeExpired(ctx: Context, config: Config, id: string, lease: LeaseRow): void {
  const { leases } = tables(ctx);
  leases.put(id, { ...lease, revoked: true, expiresAt: ctx.now() + config.tasks.lease });
  revoke(ctx, id, lease, 'the lease ran out');
  ctx.send(
    'incident_sage',
    'incident.raise',
    {
      fingerprint: `silent/${lease.servant}`,
      title: `${lease.servant} does not renew its lease`,
      severity: 'high',
      detail: `task ${lease.taskId} of ${lease.directiveId}, attempt ${lease.attempt}`,
      directiveId: lease.directiveId,
    },
    { correlationId: lease.directiveId },
  );
}

function giveUp(ctx: Context, config: Config, id: string, lease: LeaseRow): void {
  // The servant stays bound to the lease, and so without work, until it reports that the attempt is over.
  const row = taskOf(ctx, lease.directiveId, lease.taskId);
  if (row?.lease !== id) return;
  endAttempt(ctx, config, row, {
    directiveId: lease.directiveId,
    taskId: lease.taskId,
    lease: id,
    attempt: lease.attempt,
    outcome: 'lost',
    exitCode: null,
    signal: null,
    startedAt: row.startedAt,
    finishedAt: ctx.now(),
    reason: `${lease.servant} fell silent`,
    output: null,
  });
}

/** Tells a servant to end the attempt under a lease; in the lane of the assignment, so as never to pass it. */
export function revoke(ctx: Context, id: string, lease: LeaseRow, reason: string): void {
  const { directiveId, taskId, attempt } = lease;
  const payload = { directiveId, taskId, attempt, lease: id, reason };
  const priority = taskOf(ctx, directiveId, taskId)?.spec.priority ?? 5;
  ctx.send(lease.servant, 'sage.task.revoke', payload, { correlationId: directiveId, priority });
}

/** Has an attempt ended by its servant; whatever that reports then, unless it is success, the task ends as told. */
export function endAttemptEarly(ctx: Context, id: string, ending: NonNullable<LeaseRow['ending']>): void {
  const { leases } = tables(ctx);
  const lease = leases.get(id);
  if (!lease || lease.ending) return;
  leases.put(id, { ...lease, ending });
  revoke(ctx, id, lease, ending.reason);
}
