import { createHash } from 'node:crypto';
import type { Context, Core, Received } from '../../agents/core.ts';
import { relay, relayAnswer } from '../../agents/relay.ts';
import type { PayloadOf } from '../../protocol/actions.ts';
import type { ApprovalRecord, Risk } from '../../protocol/approval.ts';
import type { Config } from '../../protocol/config.ts';
import type { DirectiveRecord, DirectiveSpec } from '../../protocol/directive.ts';
import { ElderError } from '../../protocol/errors.ts';
import { type DirectiveState, isFinalDirective } from '../../protocol/states.ts';
import { relayHandlers } from '../relayed-commands.ts';
import {
  askAgainWhereChanged,
  askApproval,
  decide,
  expireApprovals,
  listApprovals,
  nextExpiry,
  waitingFor,
  withdraw,
} from './approvals.ts';
import { orderDeadLetter } from './dead-letter-orders.ts';
import { clearHalt, halt, haltOf, noteServants, resume } from './emergency.ts';
import { assessRisk, needsApproval } from './risk.ts';
import { reasonToReject } from './strategy.ts';

interface Row extends Omit<DirectiveRecord, 'halted' | 'approval'> {
  /** Tells a repeated submission from another one under the same id. */
  readonly fingerprint: string;
  readonly cancelRequested: boolean;
  /** What it was judged to be when it came. */
  readonly risk: Risk;
}

const directives = (ctx: Context) => ctx.table<Row>('directives');

function publicRecord(ctx: Context, row: Row): DirectiveRecord {
  const { fingerprint: _, cancelRequested: __, risk: ___, ...record } = row;
  const halted = isFinalDirective(row.state) ? null : haltOf(ctx, row.id);
  return { ...record, halted, approval: row.state === 'waiting_approval' ? approvalOf(ctx, row.id) : null };
}

function approvalOf(ctx: Context, directiveId: string): DirectiveRecord['approval'] {
  const approval = waitingFor(ctx, directiveId);
  if (!approval) return null;
  const { id, risk, reasons, digest, expiresAt } = approval;
  return { id, risk, reasons, digest, expiresAt };
}

function find(ctx: Context, id: string): Row {
  const row = directives(ctx).get(id);
  if (!row) throw new ElderError('not_found', `no directive ${id}`);
  return row;
}

function change(ctx: Context, row: Row, changes: Partial<Row> & { state: DirectiveState }): Row {
  const next = { ...row, ...changes };
  directives(ctx).put(row.id, next);
  ctx.announce({ kind: 'directive', directiveId: row.id, state: next.state });
  return next;
}

function submit(ctx: Context, id: string, spec: DirectiveSpec, config: Config): DirectiveRecord {
  const fingerprint = createHash('sha256').update(JSON.stringify(spec)).digest('base64');
  const known = directives(ctx).get(id);
  if (known?.fingerprint === fingerprint) return publicRecord(ctx, known);
  if (known) throw new ElderError('conflict', `directive ${id} exists already with another content`);
  const active = [...directives(ctx).entries()].filter(([, row]) => !isFinalDirective(row.state)).length;
  const reason = reasonToReject(spec, active, config);
  const assessment = assessRisk(spec, config);
  const row: Row = {
    id,
    title: spec.title,
    goal: spec.goal,
    workspace: spec.workspace,
    taskCount: spec.tasks.length,
    state: 'submitted',
    reason,
    submittedAt: ctx.now(),
    finishedAt: reason === null ? null : ctx.now(),
    summary: null,
    lessons: [],
    fingerprint,
    cancelRequested: false,
    risk: assessment.risk,
  };
  if (reason !== null) return publicRecord(ctx, change(ctx, row, { state: 'rejected' }));
  const order = { directiveId: id, directive: spec };
  if (needsApproval(assessment, config)) {
    askApproval(ctx, order, assessment, config);
    return publicRecord(ctx, change(ctx, row, { state: 'waiting_approval' }));
  }
  return publicRecord(ctx, execute(ctx, row, order));
}

function execute(ctx: Context, row: Row, order: PayloadOf<'development.directive.execute'>): Row {
  ctx.send('claude_elder', 'development.directive.execute', order, { correlationId: row.id });
  return change(ctx, row, { state: 'accepted' });
}

/** Does with a directive what the human has decided about it. */
function decided(
  ctx: Context,
  { payload, source }: Received<'approval.decide'>,
  config: Config,
): ApprovalRecord {
  const { approval, order } = decide(ctx, payload, source, config);
  const row = find(ctx, approval.directiveId);
  if (order) execute(ctx, row, order);
  else reject(ctx, row, `denied by the human${approval.reason ? `: ${approval.reason}` : ''}`);
  return approval;
}

function reject(ctx: Context, row: Row, reason: string): void {
  change(ctx, row, { state: 'rejected', reason, finishedAt: ctx.now() });
  clearHalt(ctx, row.id);
}

function expire(ctx: Context): void {
  for (const { id, directiveId } of expireApprovals(ctx)) {
    reject(ctx, find(ctx, directiveId), `approval ${id} was not given in time`);
  }
}

/**
 * Lets tasks be added only where all of it together would not have had to wait: an approval is for what the human saw.
 * Throws `approval_required`.
 */
function requireSmallRisk(
  ctx: Context,
  { directiveId, tasks }: PayloadOf<'development.task.add'>,
  config: Config,
): void {
  const { title, goal, workspace, risk, taskCount } = find(ctx, directiveId);
  const added = { title, goal, workspace, risk, tasks };
  const assessment = assessRisk(added, config, taskCount + tasks.length);
  if (!needsApproval(assessment, config)) return;
  const why = assessment.reasons.join('; ');
  const reason = `tasks cannot join ${directiveId} unseen (${why}); submit them as a directive of their own`;
  throw new ElderError('approval_required', reason);
}

function cancel(ctx: Context, id: string, reason: string): DirectiveRecord {
  const row = find(ctx, id);
  if (isFinalDirective(row.state)) {
    throw new ElderError('conflict', `directive ${id} is ${row.state} already`);
  }
  if (row.cancelRequested) return publicRecord(ctx, row);
  const approval = waitingFor(ctx, id);
  if (approval) {
    withdraw(ctx, approval, reason);
    clearHalt(ctx, id);
    return publicRecord(ctx, change(ctx, row, { state: 'cancelled', reason, finishedAt: ctx.now() }));
  }
  const payload = { directiveId: id, reason };
  // In the lane of `execute`, because in a faster one it could arrive before what it cancels.
  ctx.send('claude_elder', 'development.directive.cancel', payload, { correlationId: id });
  return publicRecord(ctx, change(ctx, row, { state: row.state, cancelRequested: true, reason }));
}

function progress(ctx: Context, { payload }: Received<'report.directive.progress'>): void {
  const row = directives(ctx).get(payload.directiveId);
  if (payload.state === 'reopened') {
    if (row && isFinalDirective(row.state)) {
      change(ctx, row, { state: 'executing', reason: null, summary: null, finishedAt: null });
    }
    return;
  }
  if (!row || isFinalDirective(row.state)) return;
  const lessons = payload.state === 'planned' ? payload.lessons : row.lessons;
  change(ctx, row, { state: payload.state, lessons });
}

function finished(ctx: Context, { payload }: Received<'report.directive.finished'>): void {
  const row = directives(ctx).get(payload.directiveId);
  if (!row || isFinalDirective(row.state)) return;
  const { outcome: state, reason, summary } = payload;
  change(ctx, row, { state, reason: reason ?? row.reason, summary, finishedAt: ctx.now() });
  clearHalt(ctx, row.id);
}

/** The grand elder: decides on directives by the strategy and keeps their record. */
export function grandElder(config: Config): Core {
  return {
    onStart: (ctx) => askAgainWhereChanged(ctx, config),
    wakeAt: nextExpiry,
    onWake: expire,
    handlers: {
      'development.directive.submit': (ctx, { payload }) =>
        submit(ctx, payload.directiveId, payload.directive, config),
      'development.directive.cancel': (ctx, { payload }) => cancel(ctx, payload.directiveId, payload.reason),
      'development.directive.show': (ctx, { payload }) => publicRecord(ctx, find(ctx, payload.directiveId)),
      'development.directive.list': (ctx, { payload }) => {
        const rows = [...directives(ctx).entries()].map(([, row]) => publicRecord(ctx, row));
        const newest = rows.sort((a, b) => b.submittedAt - a.submittedAt || b.id.localeCompare(a.id));
        return { directives: newest.slice(0, payload.limit) };
      },
      'approval.list': (ctx, { payload }) => ({ approvals: listApprovals(ctx, payload.limit) }),
      'approval.decide': (ctx, received) => decided(ctx, received, config),
      ...relayHandlers((action) => ({ target: 'claude_elder', action })),
      'development.task.add': (ctx, received) => {
        requireSmallRisk(ctx, received.payload, config);
        relay(ctx, received, 'claude_elder', 'development.task.add', received.payload);
      },
      'report.directive.progress': progress,
      'report.directive.finished': finished,
      'emergency.halt': (ctx, { payload, source }) => {
        const row = payload.directiveId === null ? null : find(ctx, payload.directiveId);
        if (row && isFinalDirective(row.state)) {
          throw new ElderError('conflict', `directive ${row.id} is ${row.state} already`);
        }
        return halt(ctx, payload, source);
      },
      'supervision.servants': (ctx, { payload }) => noteServants(ctx, payload),
      'emergency.resume': (ctx, { payload, source }) => resume(ctx, payload, source),
      'elder.dead_letter.replay': (ctx, received) => orderDeadLetter(ctx, 'replay', received),
      'elder.dead_letter.discard': (ctx, received) => orderDeadLetter(ctx, 'discard', received),
    },
    continuations: { relayAnswer },
  };
}
