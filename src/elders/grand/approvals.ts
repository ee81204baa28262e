import { createHash } from 'node:crypto';
import type { Context } from '../../agents/core.ts';
import type { PayloadOf } from '../../protocol/actions.ts';
import type { ApprovalRecord, ApprovalState } from '../../protocol/approval.ts';
import { canonicalJson } from '../../protocol/canonical-json.ts';
import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import { type Assessment, assessRisk } from './risk.ts';

/** What is carried out once it is approved. */
type Order = PayloadOf<'development.directive.execute'>;
const action = 'development.directive.execute';

/** What the human's decision, or its absence, came to. */
export interface Decided {
  readonly approval: ApprovalRecord;
  /** The action, where it was approved. */
  readonly order: Order | null;
}

const keptDecisions = 1_000;
const records = (ctx: Context) => ctx.table<ApprovalRecord>('approvals');
/** Apart, and only while they wait: a directive may be large. */
const orders = (ctx: Context) => ctx.table<Order>('approvalOrders');

/** Hashes exactly what is to be carried out, and why it needs the human: an approval is for this and nothing else. */
export function digestOf(order: Order, { risk, reasons }: Assessment): string {
  return createHash('sha256').update(canonicalJson({ action, order, risk, reasons })).digest('hex');
}

/** Has an action wait for the human. */
export function askApproval(
  ctx: Context,
  order: Order,
  assessment: Assessment,
  config: Config,
): ApprovalRecord {
  const id = `a${createHash('sha256').update(ctx.newId()).digest('hex').slice(0, 10)}`;
  const approval: ApprovalRecord = {
    id,
    state: 'waiting',
    directiveId: order.directiveId,
    title: order.directive.title,
    action,
    digest: digestOf(order, assessment),
    risk: assessment.risk,
    reasons: [...assessment.reasons],
    askedAt: ctx.now(),
    expiresAt: ctx.now() + config.strategy.approvalExpiry,
    decidedAt: null,
    decidedBy: null,
    reason: null,
  };
  records(ctx).put(id, approval);
  orders(ctx).put(id, order);
  tell(ctx, approval, 'asked');
  return approval;
}

/** Lists approvals, those that wait first, then the newest. */
export function listApprovals(ctx: Context, limit: number): ApprovalRecord[] {
  const waits = ({ state }: ApprovalRecord) => (state === 'waiting' ? 0 : 1);
  return [...records(ctx).entries()]
    .map(([, approval]) => approval)
    .sort((a, b) => waits(a) - waits(b) || b.askedAt - a.askedAt || a.id.localeCompare(b.id))
    .slice(0, limit);
}

/** Gives the approval that a directive waits for, if any. */
export function waitingFor(ctx: Context, directiveId: string): ApprovalRecord | null {
  for (const [, approval] of records(ctx).entries()) {
    if (approval.state === 'waiting' && approval.directiveId === directiveId) return approval;
  }
  return null;
}

/**
 * Takes the human's decision, once. Throws `not_found` for an unknown approval and `conflict` for one that is decided or
 * expired already, or whose action is not the one that the human saw, or no longer the one that asked.
 */
export function decide(
  ctx: Context,
  { approvalId, decision, digest, reason }: PayloadOf<'approval.decide'>,
  by: string,
  config: Config,
): Decided {
  const approval = records(ctx).get(approvalId);
  if (!approval) throw new ElderError('not_found', `no approval ${approvalId}`);
  const { state, expiresAt } = approval;
  if (state !== 'waiting') throw new ElderError('conflict', `approval ${approvalId} is ${state} already`);
  if (expiresAt <= ctx.now()) throw new ElderError('conflict', `approval ${approvalId} has expired`);
  const order = orders(ctx).get(approvalId);
  const present = order ? digestOf(order, assessRisk(order.directive, config)) : null;
  if (!order || present !== approval.digest || (digest !== undefined && digest !== present)) {
    throw new ElderError(
      'conflict',
      `what approval ${approvalId} was asked for is not what would be carried out now`,
    );
  }
  const next = decision === 'approve' ? 'approved' : 'denied';
  const decided = settle(ctx, approval, next, { decidedBy: by, reason: reason || null });
  return { approval: decided, order: decision === 'approve' ? order : null };
}

/** Ends an approval that is not needed any more. */
export function withdraw(ctx: Context, approval: ApprovalRecord, reason: string): ApprovalRecord {
  return settle(ctx, approval, 'withdrawn', { reason });
}

/** Ends the approvals whose time is over and gives them. */
export function expireApprovals(ctx: Context): ApprovalRecord[] {
  const over = [...records(ctx).entries()]
    .map(([, approval]) => approval)
    .filter(({ state, expiresAt }) => state === 'waiting' && expiresAt <= ctx.now());
  return over.map((approval) => settle(ctx, approval, 'expired', {}));
}

/** When the next approval expires (ms since the epoch). */
export function nextExpiry(ctx: Context): number | undefined {
  let next: number | undefined;
  for (const [, { state, expiresAt }] of records(ctx).entries()) {
    if (state === 'waiting') next = Math.min(next ?? expiresAt, expiresAt);
  }
  return next;
}

/** Asks anew for what waits under another configuration than the one it was asked under, since the risk is not the same. */
export function askAgainWhereChanged(ctx: Context, config: Config): void {
  for (const [id, approval] of [...records(ctx).entries()]) {
    const order = approval.state === 'waiting' ? orders(ctx).get(id) : undefined;
    if (!order) continue;
    const assessment = assessRisk(order.directive, config);
    if (digestOf(order, assessment) === approval.digest) continue;
    withdraw(ctx, approval, 'the configuration has changed');
    askApproval(ctx, order, assessment, config);
  }
}

function settle(
  ctx: Context,
  approval: ApprovalRecord,
  state: ApprovalState,
  decision: Partial<Pick<ApprovalRecord, 'decidedBy' | 'reason'>>,
): ApprovalRecord {
  const decided = { ...approval, ...decision, state, decidedAt: ctx.now() };
  records(ctx).put(approval.id, decided);
  orders(ctx).delete(approval.id);
  tell(ctx, decided, state);
  forgetOldest(ctx);
  return decided;
}

function forgetOldest(ctx: Context): void {
  const table = records(ctx);
  if (table.size <= keptDecisions) return;
  const decided = [...table.entries()].filter(([, { decidedAt }]) => decidedAt !== null);
  const [oldest] = decided.sort(([, a], [, b]) => (a.decidedAt ?? 0) - (b.decidedAt ?? 0));
  if (oldest) table.delete(oldest[0]);
}

function tell(ctx: Context, approval: ApprovalRecord, event: string): void {
  const { id, directiveId, digest, risk, reasons, decidedBy, reason } = approval;
  ctx.announce({ kind: 'approval', approvalId: id, directiveId, state: approval.state });
  ctx.audit({
    kind: 'approval',
    event,
    subject: decidedBy ?? ctx.self,
    object: id,
    action,
    reason: reason ?? reasons.join('; '),
    detail: { directiveId, digest, risk },
  });
}
