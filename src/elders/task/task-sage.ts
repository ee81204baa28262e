import type { Context, Core, Received } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import { isFinalTask } from '../../protocol/states.ts';
import { endAttempt, underLease } from './attempts.ts';
import { dispatch } from './dispatch.ts';
import { createGraph, finishDirective, summaryOf } from './graph.ts';
import { halt, isHalted, resume } from './halts.ts';
import { checkLeases, extendLeases, nextLeaseCheck, revoke } from './leases.ts';
import { changeTask, directiveOf, tables, taskKey } from './rows.ts';
import { toRecord } from './task-record.ts';

function cancel(ctx: Context, directiveId: string, reason: string): void {
  const { directives, members, tasks, leases, ready } = tables(ctx);
  const directive = directives.get(directiveId);
  if (!directive || directive.finishedAt !== null) return;
  directives.put(directiveId, { ...directive, cancelReason: reason });
  for (const id of members.get(directiveId) ?? []) {
    const row = tasks.get(taskKey(directiveId, id));
    if (!row || isFinalTask(row.state)) continue;
    const lease = row.lease === null ? undefined : leases.get(row.lease);
    if (row.lease !== null && lease) revoke(ctx, row.lease, lease, reason);
    else changeTask(ctx, row, { state: 'cancelled', reason, finishedAt: ctx.now() });
    ready.delete(taskKey(directiveId, id));
  }
  finishDirective(ctx, directiveId);
}

function attemptStarted(ctx: Context, { source, payload }: Received<'report.to_sage.attempt_started'>): void {
  const found = underLease(ctx, payload.lease, source);
  if (!found) return;
  const { directives } = tables(ctx);
  changeTask(ctx, found.row, { startedAt: payload.startedAt });
  const directive = directives.get(found.row.directiveId);
  if (!directive || directive.startedAt !== null) return;
  directives.put(directive.id, { ...directive, startedAt: payload.startedAt });
  ctx.send('claude_elder', 'report.to_elder.graph_started', { directiveId: directive.id });
}

function attemptFinished(
  ctx: Context,
  config: Config,
  { source, payload }: Received<'report.to_sage.attempt_finished'>,
): void {
  const { servants } = tables(ctx);
  const servant = servants.get(source);
  if (servant?.lease === payload.lease) servants.put(source, { ...servant, lease: null });
  const found = underLease(ctx, payload.lease, source);
  if (found) {
    endAttempt(ctx, config, found.row, payload);
    finishDirective(ctx, found.row.directiveId);
  }
  dispatch(ctx, config);
}

function graph(ctx: Context, directiveId: string, since: number, limit: number) {
  const { directives, members, tasks } = tables(ctx);
  const directive = directives.get(directiveId);
  if (!directive) throw new ElderError('not_found', `the task sage has no directive ${directiveId}`);
  const changed = (members.get(directiveId) ?? [])
    .flatMap((id) => tasks.get(taskKey(directiveId, id)) ?? [])
    .filter((row) => row.revision > since)
    .sort((a, b) => a.revision - b.revision);
  const page = changed.slice(0, limit);
  const more = changed.length > page.length;
  const revision = more ? (page.at(-1)?.revision ?? since) : directive.revision;
  return {
    directiveId,
    summary: summaryOf(directive),
    revision,
    more,
    tasks: page.map((row) => toRecord(row, page.length)),
  };
}

/** The task sage: owns the graphs, hands out ready tasks under leases, decides on retries, reports the outcome. */
export function taskSage(config: Config): Core {
  return {
    handlers: {
      'sage.task.create': (ctx, { payload }) => {
        createGraph(ctx, payload);
        dispatch(ctx, config);
      },
      'sage.task.cancel': (ctx, { payload }) => cancel(ctx, payload.directiveId, payload.reason),
      'sage.task.graph': (ctx, { payload }) => graph(ctx, payload.directiveId, payload.since, payload.limit),
      'report.to_sage.available': (ctx, { source, payload }) => {
        const { servants } = tables(ctx);
        const lease = servants.get(source)?.lease ?? null;
        servants.put(source, { incarnation: payload.incarnation, lease, available: true });
        dispatch(ctx, config);
      },
      'report.to_sage.draining': (ctx, { source }) => {
        const { servants } = tables(ctx);
        const servant = servants.get(source);
        if (servant) servants.put(source, { ...servant, available: false });
      },
      'report.to_sage.attempt_started': attemptStarted,
      'report.to_sage.lease_renewed': (ctx, { source, payload }) => {
        const found = underLease(ctx, payload.lease, source);
        if (!found) return;
        const expiresAt = ctx.now() + config.tasks.lease;
        tables(ctx).leases.put(payload.lease, { ...found.lease, expiresAt });
      },
      'report.to_sage.attempt_finished': (ctx, received) => attemptFinished(ctx, config, received),
      'emergency.halt': (ctx, { payload }) => halt(ctx, payload),
      'emergency.resume': (ctx, { payload }) => {
        resume(ctx, payload);
        dispatch(ctx, config);
      },
    },
    onStart: (ctx) => {
      extendLeases(ctx, config);
      dispatch(ctx, config);
    },
    wakeAt: (ctx) => {
      const { ready, servants } = tables(ctx);
      const idle = ctx.servants.some((name) => {
        const servant = servants.get(name);
        return servant?.available && servant.lease === null;
      });
      let next = nextLeaseCheck(ctx, config) ?? Infinity;
      if (!idle) return Number.isFinite(next) ? next : undefined;
      for (const [key, { notBefore }] of ready.entries()) {
        if (!isHalted(ctx, directiveOf(key))) next = Math.min(next, notBefore);
      }
      return Number.isFinite(next) ? next : undefined;
    },
    onWake: (ctx) => {
      if ((nextLeaseCheck(ctx, config) ?? Infinity) <= ctx.now()) {
        const touched = new Set([...tables(ctx).leases.entries()].map(([, lease]) => lease.directiveId));
        checkLeases(ctx, config);
        for (const directiveId of touched) finishDirective(ctx, directiveId);
      }
      dispatch(ctx, config);
    },
  };
}
