import type { Context, Core, Effect, Received } from '../../agents/core.ts';
import type { AttemptResult, PayloadOf } from '../../protocol/actions.ts';
import type { AttemptProgress } from '../../protocol/directive.ts';
import { type Assigned, about, tables } from './rows.ts';
import { giveBack, nextReturn, returnOverdue, wait } from './waiting.ts';

export type Assignment = PayloadOf<'sage.task.assign'>;

/** What this servant asks of its executor. */
export type ServantEffect =
  | { readonly kind: 'reap' }
  | { readonly kind: 'run'; readonly assignment: Assignment }
  | {
      readonly kind: 'extend_lease';
      readonly lease: string;
      readonly expiresAt: number;
      readonly leaseMs: number;
    }
  | {
      readonly kind: 'cancel';
      readonly lease: string;
      readonly outcome: 'cancelled' | 'lost';
      readonly reason: string;
    };

/** What the executor, or the process as it drains, tells the servant. */
export type ServantInput =
  | { readonly kind: 'reaped' }
  | { readonly kind: 'started'; readonly lease: string; readonly startedAt: number }
  | { readonly kind: 'progress'; readonly lease: string; readonly progress: AttemptProgress }
  | { readonly kind: 'finished'; readonly result: AttemptResult }
  | { readonly kind: 'drain' }
  | { readonly kind: 'cut_off' };

function effect(ctx: Context, wanted: ServantEffect): void {
  ctx.effect(wanted);
}

function begin(ctx: Context, assignment: Assigned): void {
  tables(ctx).current.put('now', {
    assignment,
    startedAt: null,
    renewAt: ctx.now() + assignment.leaseMs / 4,
  });
  effect(ctx, { kind: 'run', assignment });
}

/** Reports an attempt whose command did not run, or whose outcome nobody knows. */
function reportUnrun(
  ctx: Context,
  { directiveId, task, lease, attempt, messageId }: Assigned,
  ended: Pick<AttemptResult, 'outcome' | 'startedAt' | 'reason'>,
): void {
  const attemptOf = { directiveId, taskId: task.id, lease, attempt };
  const unknown = { exitCode: null, signal: null, output: null };
  const result = { ...attemptOf, ...unknown, ...ended, finishedAt: ctx.now() };
  ctx.send('task_sage', 'report.to_sage.attempt_finished', result, about({ directiveId, messageId }));
}

/** Begins the next waiting assignment whose lease still holds. */
function next(ctx: Context): void {
  const { current, queue, flags } = tables(ctx);
  if (current.has('now') || flags.has('reaping') || flags.has('draining')) return;
  for (const [lease, assignment] of [...queue.entries()]) {
    queue.delete(lease);
    if (assignment.expiresAt > ctx.now()) {
      begin(ctx, assignment);
      return;
    }
    const reason = 'the lease ran out before the command could start';
    reportUnrun(ctx, assignment, { outcome: 'lost', startedAt: null, reason });
  }
}

function revoke(ctx: Context, { message, payload }: Received<'sage.task.revoke'>): void {
  const { current, queue } = tables(ctx);
  const { directiveId, taskId, attempt, lease, reason } = payload;
  if (current.get('now')?.assignment.lease === lease) {
    effect(ctx, { kind: 'cancel', lease, outcome: 'cancelled', reason });
    return;
  }
  // Not under way here: it waits, or its assignment expired on the way, or it was reported already.
  const outcome = queue.has(lease) ? 'cancelled' : 'lost';
  queue.delete(lease);
  const unrun = { directiveId, taskId, lease, attempt, outcome, reason, startedAt: null } as const;
  const unknown = { exitCode: null, signal: null, output: null, finishedAt: ctx.now() };
  const cause = about({ directiveId, messageId: message.message_id });
  ctx.send('task_sage', 'report.to_sage.attempt_finished', { ...unrun, ...unknown }, cause);
}

/** Takes an assignment, unless an emergency has overtaken it. */
function assign(ctx: Context, assignment: Assigned): void {
  const { flags, halts } = tables(ctx);
  const halted = halts.get('*') ?? halts.get(assignment.directiveId);
  if (halted !== undefined) {
    reportUnrun(ctx, assignment, { outcome: 'cancelled', startedAt: null, reason: `halted: ${halted}` });
    return;
  }
  wait(ctx, assignment);
  if (flags.has('draining')) giveBack(ctx, assignment.lease);
  else next(ctx);
}

/** Ends what runs and drops what waits, of one directive or with `null` of all. */
function halt(ctx: Context, { directiveId, reason }: PayloadOf<'emergency.halt'>): void {
  const { current, queue, halts } = tables(ctx);
  halts.put(directiveId ?? '*', reason);
  const isMeant = (assignment: Assigned) => directiveId === null || assignment.directiveId === directiveId;
  const ended = { outcome: 'cancelled', reason: `halted: ${reason}` } as const;
  for (const [lease, assignment] of [...queue.entries()]) {
    if (!isMeant(assignment)) continue;
    queue.delete(lease);
    reportUnrun(ctx, assignment, { ...ended, startedAt: null });
  }
  const running = current.get('now')?.assignment;
  if (running && isMeant(running)) effect(ctx, { kind: 'cancel', lease: running.lease, ...ended });
}

/** What the predecessor was running is over: its sandbox has been ended, and its outcome will never be known. */
function afterReaping(ctx: Context): void {
  const { current, flags } = tables(ctx);
  flags.delete('reaping');
  const left = current.get('now');
  if (left) {
    current.delete('now');
    const reason = 'the servant ended while the command ran';
    reportUnrun(ctx, left.assignment, { outcome: 'lost', startedAt: left.startedAt, reason });
  }
  next(ctx);
}

function onInput(ctx: Context, input: ServantInput): void {
  const { current, queue, flags } = tables(ctx);
  const running = current.get('now');
  switch (input.kind) {
    case 'reaped':
      afterReaping(ctx);
      return;
    case 'started': {
      if (running?.assignment.lease !== input.lease) return;
      const { directiveId, task, lease, attempt } = running.assignment;
      const { startedAt } = input;
      current.put('now', { ...running, startedAt });
      const report = { directiveId, taskId: task.id, lease, attempt, startedAt };
      ctx.send('task_sage', 'report.to_sage.attempt_started', report, about(running.assignment));
      return;
    }
    case 'progress': {
      if (running?.assignment.lease !== input.lease) return;
      const { lease, progress } = input;
      ctx.send(
        'task_sage',
        'report.to_sage.attempt_progress',
        { lease, progress },
        about(running.assignment),
      );
      return;
    }
    case 'finished': {
      if (running?.assignment.lease !== input.result.lease) return;
      current.delete('now');
      ctx.send('task_sage', 'report.to_sage.attempt_finished', input.result, about(running.assignment));
      next(ctx);
      return;
    }
    case 'drain':
      flags.put('draining', true);
      for (const [lease] of [...queue.entries()]) giveBack(ctx, lease);
      ctx.send('task_sage', 'report.to_sage.draining', { incarnation: ctx.incarnation });
      return;
    case 'cut_off':
      if (!running) return;
      effect(ctx, {
        kind: 'cancel',
        lease: running.assignment.lease,
        outcome: 'lost',
        reason: 'the servant was stopped',
      });
  }
}

/** When the lease of the attempt under way is to be renewed (ms since the epoch). */
function nextRenewal(ctx: Context): number {
  const running = tables(ctx).current.get('now');
  if (!running) return Infinity;
  const { renewAt, assignment } = running;
  // Further away than it was ever put: the clock went back, and the lease does not wait for it.
  return renewAt > ctx.now() + assignment.leaseMs / 4 ? ctx.now() : renewAt;
}

/** A servant: executes one attempt at a time, and is the only one who says how it ended. */
export function servant(): Core {
  return {
    handlers: {
      'sage.task.assign': (ctx, { message, payload }) => {
        assign(ctx, { ...payload, messageId: message.message_id });
      },
      'emergency.halt': (ctx, { payload }) => halt(ctx, payload),
      'emergency.resume': (ctx, { payload }) => tables(ctx).halts.delete(payload.directiveId ?? '*'),
      'sage.task.revoke': revoke,
      'sage.task.recall': (ctx, { payload }) => giveBack(ctx, payload.lease),
    },
    onStart: (ctx) => {
      const { flags } = tables(ctx);
      flags.delete('draining');
      flags.put('reaping', true);
      effect(ctx, { kind: 'reap' });
      ctx.send('task_sage', 'report.to_sage.available', { incarnation: ctx.incarnation });
    },
    onInput: (ctx, input: Effect) => onInput(ctx, input as unknown as ServantInput),
    wakeAt: (ctx) => {
      const next = Math.min(nextReturn(ctx), nextRenewal(ctx));
      return next === Infinity ? undefined : next;
    },
    onWake: (ctx) => {
      returnOverdue(ctx);
      const { current } = tables(ctx);
      const running = current.get('now');
      if (!running || nextRenewal(ctx) > ctx.now()) return;
      const { lease, leaseMs } = running.assignment;
      current.put('now', { ...running, renewAt: ctx.now() + leaseMs / 4 });
      ctx.send('task_sage', 'report.to_sage.lease_renewed', { lease }, about(running.assignment));
      effect(ctx, { kind: 'extend_lease', lease, leaseMs, expiresAt: ctx.now() + leaseMs });
    },
    isIdle: (ctx) => !tables(ctx).current.has('now'),
  };
}
