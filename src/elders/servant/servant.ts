import type { Context, Core, Effect } from '../../agents/core.ts';
import type { AttemptResult, PayloadOf } from '../../protocol/actions.ts';

export type Assignment = PayloadOf<'sage.task.assign'>;

/** What this servant asks of its executor. */
export type ServantEffect =
  | { readonly kind: 'reap' }
  | { readonly kind: 'run'; readonly assignment: Assignment }
  | { readonly kind: 'extend_lease'; readonly lease: string; readonly expiresAt: number }
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
  | { readonly kind: 'finished'; readonly result: AttemptResult }
  | { readonly kind: 'drain' }
  | { readonly kind: 'cut_off' };

interface Current {
  readonly assignment: Assignment;
  readonly startedAt: number | null;
  readonly renewAt: number;
}

function tables(ctx: Context) {
  return {
    /** At most one row, `now`: the attempt under way. */
    current: ctx.table<Current>('current'),
    /** Assignments that wait for the one under way, by lease. */
    queue: ctx.table<Assignment>('queue'),
    /** `reaping` while a sandbox of the predecessor may still live; `draining` once no new work is taken. */
    flags: ctx.table<true>('flags'),
  };
}

function effect(ctx: Context, wanted: ServantEffect): void {
  ctx.effect(wanted);
}

function begin(ctx: Context, assignment: Assignment): void {
  tables(ctx).current.put('now', {
    assignment,
    startedAt: null,
    renewAt: ctx.now() + assignment.leaseMs / 4,
  });
  effect(ctx, { kind: 'run', assignment });
}

function reportUnrun(
  ctx: Context,
  attempt: Omit<AttemptResult, 'finishedAt' | 'output' | 'exitCode' | 'signal'>,
): void {
  const { directiveId, taskId, lease, attempt: number, outcome, startedAt, reason } = attempt;
  const result: AttemptResult = {
    directiveId,
    taskId,
    lease,
    attempt: number,
    outcome,
    exitCode: null,
    signal: null,
    startedAt,
    finishedAt: ctx.now(),
    reason,
    output: null,
  };
  ctx.send('task_sage', 'report.to_sage.attempt_finished', result, { correlationId: directiveId });
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
    const { directiveId, task, attempt } = assignment;
    const reason = 'the lease ran out before the command could start';
    reportUnrun(ctx, {
      directiveId,
      taskId: task.id,
      lease,
      attempt,
      outcome: 'lost',
      startedAt: null,
      reason,
    });
  }
}

function revoke(
  ctx: Context,
  { directiveId, taskId, attempt, lease, reason }: PayloadOf<'sage.task.revoke'>,
): void {
  const { current, queue } = tables(ctx);
  const running = current.get('now');
  if (running?.assignment.lease === lease) {
    effect(ctx, { kind: 'cancel', lease, outcome: 'cancelled', reason });
    return;
  }
  const outcome = queue.has(lease) ? 'cancelled' : 'lost';
  queue.delete(lease);
  reportUnrun(ctx, { directiveId, taskId, attempt, lease, outcome, startedAt: null, reason });
}

/** What the predecessor was running is over: its sandbox has been ended, and its outcome will never be known. */
function afterReaping(ctx: Context): void {
  const { current, flags } = tables(ctx);
  flags.delete('reaping');
  const left = current.get('now');
  if (left) {
    current.delete('now');
    const { directiveId, task, attempt, lease } = left.assignment;
    const reason = 'the servant ended while the command ran';
    reportUnrun(ctx, {
      directiveId,
      taskId: task.id,
      lease,
      attempt,
      outcome: 'lost',
      startedAt: left.startedAt,
      reason,
    });
  }
  next(ctx);
}

function onInput(ctx: Context, input: ServantInput): void {
  const { current, flags } = tables(ctx);
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
      ctx.send('task_sage', 'report.to_sage.attempt_started', report, { correlationId: directiveId });
      return;
    }
    case 'finished': {
      if (running?.assignment.lease !== input.result.lease) return;
      current.delete('now');
      const { directiveId } = input.result;
      ctx.send('task_sage', 'report.to_sage.attempt_finished', input.result, { correlationId: directiveId });
      next(ctx);
      return;
    }
    case 'drain':
      flags.put('draining', true);
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

/** A servant: executes one attempt at a time, and is the only one who says how it ended. */
export function servant(): Core {
  return {
    handlers: {
      'sage.task.assign': (ctx, { payload }) => {
        tables(ctx).queue.put(payload.lease, payload);
        next(ctx);
      },
      'sage.task.revoke': (ctx, { payload }) => revoke(ctx, payload),
    },
    onStart: (ctx) => {
      const { flags } = tables(ctx);
      flags.delete('draining');
      flags.put('reaping', true);
      effect(ctx, { kind: 'reap' });
      ctx.send('task_sage', 'report.to_sage.available', { incarnation: ctx.incarnation });
    },
    onInput: (ctx, input: Effect) => onInput(ctx, input as unknown as ServantInput),
    wakeAt: (ctx) => tables(ctx).current.get('now')?.renewAt,
    onWake: (ctx) => {
      const { current } = tables(ctx);
      const running = current.get('now');
      if (!running) return;
      const { lease, leaseMs, directiveId } = running.assignment;
      current.put('now', { ...running, renewAt: ctx.now() + leaseMs / 4 });
      ctx.send('task_sage', 'report.to_sage.lease_renewed', { lease }, { correlationId: directiveId });
      effect(ctx, { kind: 'extend_lease', lease, expiresAt: ctx.now() + leaseMs });
    },
    isIdle: (ctx) => !tables(ctx).current.has('now'),
  };
}
