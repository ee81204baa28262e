import type { Context, Core, Received } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import { letGo, takeBack } from './ahead.ts';
import { archive, wantsArchiving } from './archive.ts';
import { endAttempt, underLease } from './attempts.ts';
import { cancelDirective, control } from './control.ts';
import { checkDeadlines, nextDeadline } from './deadlines.ts';
import { dispatch } from './dispatch.ts';
import { release } from './gates.ts';
import { addTasks, createGraph, finishDirective } from './graph.ts';
import { graphSince, listTasks, showTask } from './graph-view.ts';
import { halt, resume } from './halts.ts';
import { checkLeases, extendLeases, nextLeaseCheck } from './leases.ts';
import { nextDelayed } from './queue.ts';
import { orders, tables } from './rows.ts';
import { nextDemandNote, noteDemand, setStaff } from './staff.ts';
import { changeTask } from './tasks.ts';

/** Lets everything go on that what has just changed allows. */
function goOn(ctx: Context, config: Config): void {
  for (const directiveId of release(ctx)) finishDirective(ctx, directiveId);
  dispatch(ctx, config);
  noteDemand(ctx, config);
}

function attemptStarted(ctx: Context, { source, payload }: Received<'report.to_sage.attempt_started'>): void {
  const found = underLease(ctx, payload.lease, source);
  if (!found) return;
  changeTask(ctx, found.row, { startedAt: payload.startedAt });
  directiveStarted(ctx, found.row.directiveId, payload.startedAt);
}

/** Notes the first start of a command of a directive; a short one is told only with its end. */
function directiveStarted(ctx: Context, directiveId: string, startedAt: number): void {
  const { directives } = tables(ctx);
  const directive = directives.get(directiveId);
  if (!directive || directive.startedAt !== null) return;
  directives.put(directiveId, { ...directive, startedAt });
  ctx.send('claude_elder', 'report.to_elder.graph_started', { directiveId });
}

function attemptFinished(
  ctx: Context,
  config: Config,
  { source, payload }: Received<'report.to_sage.attempt_finished'>,
): void {
  letGo(ctx, source, payload.lease, payload.finishedAt - (payload.startedAt ?? -Infinity));
  const found = underLease(ctx, payload.lease, source);
  if (found) {
    const { row } = found;
    if (payload.startedAt !== null) directiveStarted(ctx, row.directiveId, payload.startedAt);
    addWhatItWrote(ctx, row.directiveId, row.id, row.spec.additions === true, payload.added ?? []);
    endAttempt(ctx, config, row, payload);
    finishDirective(ctx, row.directiveId);
  }
  goOn(ctx, config);
}

/** Adds the tasks that a command wrote, before it counts as ended, so that its directive cannot end without them. */
function addWhatItWrote(
  ctx: Context,
  directiveId: string,
  taskId: string,
  allowed: boolean,
  added: NonNullable<Received<'report.to_sage.attempt_finished'>['payload']['added']>,
): void {
  if (added.length === 0) return;
  try {
    if (!allowed) throw new Error('its directive does not allow it: `additions: true` is missing');
    addTasks(ctx, directiveId, added);
  } catch (error) {
    const detail = `${added.length} tasks were not added: ${(error as Error).message}`;
    ctx.send(
      'incident_sage',
      'incident.raise',
      {
        fingerprint: `${directiveId}/${taskId}/additions`,
        title: `task ${taskId} wrote tasks that were not added`,
        severity: 'medium',
        detail: detail.slice(0, 8_000),
        directiveId,
      },
      { correlationId: directiveId },
    );
  }
}

function wakeAt(ctx: Context, config: Config): number | undefined {
  const { releases } = tables(ctx);
  if (releases.first('') || wantsArchiving(ctx, config)) return ctx.now();
  const times = [nextLeaseCheck(ctx, config), nextDeadline(ctx), nextDelayed(ctx), nextDemandNote(ctx)];
  const next = Math.min(...times.map((time) => time ?? Infinity));
  return Number.isFinite(next) ? next : undefined;
}

function wake(ctx: Context, config: Config): void {
  const touched = checkDeadlines(ctx);
  if ((nextLeaseCheck(ctx, config) ?? Infinity) <= ctx.now()) {
    for (const [, lease] of tables(ctx).leases.entries()) touched.add(lease.directiveId);
    checkLeases(ctx, config);
  }
  for (const directiveId of touched) finishDirective(ctx, directiveId);
  archive(ctx, config);
  goOn(ctx, config);
}

/** The task sage: owns the graphs, hands out ready tasks under leases, decides on retries, reports the outcome. */
export function taskSage(config: Config): Core {
  return {
    orders,
    handlers: {
      'sage.task.create': (ctx, { payload }) => {
        createGraph(ctx, payload);
        goOn(ctx, config);
      },
      'sage.task.add': (ctx, { payload: { directiveId, tasks } }) => {
        const added = addTasks(ctx, directiveId, tasks);
        goOn(ctx, config);
        return { directiveId, added };
      },
      'sage.task.cancel': (ctx, { payload }) => cancelDirective(ctx, payload),
      'sage.task.control': (ctx, { payload }) => {
        const result = control(ctx, payload);
        goOn(ctx, config);
        return result;
      },
      'sage.task.graph': (ctx, { payload }) => graphSince(ctx, config, payload),
      'sage.task.list': (ctx, { payload }) => listTasks(ctx, config, payload),
      'sage.task.show': (ctx, { payload }) => showTask(ctx, config, payload),
      'sage.task.servants': (ctx, { payload }) => {
        setStaff(ctx, payload);
        goOn(ctx, config);
      },
      'report.to_sage.available': (ctx, { source, payload }) => {
        const { servants } = tables(ctx);
        const known = servants.get(source);
        // A dead letter that somebody replays may tell of a process that is gone.
        if (known && payload.incarnation < known.incarnation) return;
        const lease = known?.lease ?? null;
        servants.put(source, { ...known, incarnation: payload.incarnation, lease, available: true });
        goOn(ctx, config);
      },
      'report.to_sage.draining': (ctx, { source, payload }) => {
        const { servants } = tables(ctx);
        const servant = servants.get(source);
        if (servant?.incarnation === payload.incarnation)
          servants.put(source, { ...servant, available: false });
      },
      'report.to_sage.attempt_started': attemptStarted,
      'report.to_sage.attempt_progress': (ctx, { source, payload }) => {
        const found = underLease(ctx, payload.lease, source);
        if (found) changeTask(ctx, found.row, { progress: payload.progress });
      },
      'report.to_sage.lease_renewed': (ctx, { source, payload }) => {
        const found = underLease(ctx, payload.lease, source);
        if (!found) return;
        const expiresAt = ctx.now() + config.tasks.lease;
        tables(ctx).leases.put(payload.lease, { ...found.lease, expiresAt });
      },
      'report.to_sage.attempt_finished': (ctx, received) => attemptFinished(ctx, config, received),
      'report.to_sage.attempt_returned': (ctx, { source, payload }) => {
        takeBack(ctx, source, payload.lease);
        goOn(ctx, config);
      },
      'emergency.halt': (ctx, { payload }) => halt(ctx, payload),
      'emergency.resume': (ctx, { payload }) => {
        resume(ctx, payload);
        goOn(ctx, config);
      },
    },
    onStart: (ctx) => {
      extendLeases(ctx, config);
      goOn(ctx, config);
    },
    wakeAt: (ctx) => wakeAt(ctx, config),
    onWake: (ctx) => wake(ctx, config),
  };
}
