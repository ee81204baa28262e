import type { Context } from '../../agents/core.ts';
import type { AttemptResult } from '../../protocol/actions.ts';
import type { Config } from '../../protocol/config.ts';
import type { AttemptRecord } from '../../protocol/directive.ts';
import { makeReady, settleTask } from './graph.ts';
import { changeTask, type LeaseRow, type TaskRow, tables, taskKey } from './rows.ts';

const longestRetryDelayMs = 60_000;
const keptAttempts = 100;
/** How much output stays in the state; the file at the servant has all of it. */
const keptTail = { succeeded: 2_000, otherwise: 16_000 };

/** The task that runs under a lease; `undefined` when the lease is over, so that what comes late changes nothing. */
export function underLease(
  ctx: Context,
  leaseId: string,
  servant: string,
): { lease: LeaseRow; row: TaskRow } | undefined {
  const { leases, tasks } = tables(ctx);
  const lease = leases.get(leaseId);
  const row = lease && tasks.get(taskKey(lease.directiveId, lease.taskId));
  if (!lease || !row || lease.servant !== servant || row.lease !== leaseId) {
    ctx.log.warn({ lease: leaseId, servant }, 'a report under a lease that is over was not acted on');
    return undefined;
  }
  return { lease, row };
}

/** Records how an attempt ended and decides what becomes of its task. */
export function endAttempt(ctx: Context, config: Config, row: TaskRow, result: AttemptResult): void {
  const { directives, leases } = tables(ctx);
  const halted = result.outcome === 'cancelled' && leases.get(result.lease)?.halted === true;
  leases.delete(result.lease);
  const { exitCode, signal, startedAt, finishedAt, reason } = result;
  const cancelReason = directives.get(row.directiveId)?.cancelReason ?? null;
  // An attempt that was ended only because its lease ran out is no decision about the task.
  const isLost = result.outcome === 'cancelled' && cancelReason === null && !halted;
  const outcome = isLost ? 'lost' : result.outcome;
  const servant = row.servant ?? '';
  const record: AttemptRecord = {
    attempt: row.attempts,
    servant,
    outcome,
    exitCode,
    signal,
    startedAt,
    finishedAt,
    reason,
  };
  const tail = outcome === 'succeeded' ? keptTail.succeeded : keptTail.otherwise;
  const output = result.output && { ...result.output, tail: result.output.tail.slice(-tail) };
  const failed = outcome === 'failed' || outcome === 'timed_out' || outcome === 'refused';
  const ended = changeTask(ctx, row, {
    history: [...row.history, record].slice(-keptAttempts),
    failures: row.failures + (failed ? 1 : 0),
    lost: row.lost + (outcome === 'lost' ? 1 : 0),
    exitCode,
    startedAt,
    output: output ?? row.output,
    reason,
  });
  if (outcome === 'succeeded') settleTask(ctx, ended, 'succeeded', { finishedAt });
  else if (cancelReason !== null) settleTask(ctx, ended, 'cancelled', { finishedAt, reason: cancelReason });
  else if (halted) makeReady(ctx, ended, ctx.now());
  else if (outcome === 'lost') afterLoss(ctx, config, ended);
  else afterFailure(ctx, config, ended, outcome !== 'refused', finishedAt);
}

function afterLoss(ctx: Context, config: Config, row: TaskRow): void {
  raise(ctx, row, 'lost', 'low', `lost its servant ${row.servant} in attempt ${row.attempts}`);
  if (row.lost < config.tasks.lostAttempts) {
    makeReady(ctx, row, ctx.now());
    return;
  }
  const reason = `its servant was lost ${row.lost} times`;
  settleTask(ctx, row, 'failed', { reason });
  raise(ctx, row, 'failed', 'high', reason);
}

function afterFailure(
  ctx: Context,
  config: Config,
  row: TaskRow,
  mayRetry: boolean,
  finishedAt: number,
): void {
  if (mayRetry && row.failures <= row.spec.retries) {
    const delay = Math.min(longestRetryDelayMs, config.tasks.retryDelay * 2 ** (row.failures - 1));
    makeReady(ctx, row, ctx.now() + delay);
    return;
  }
  const code = row.exitCode === null ? '' : ` with exit code ${row.exitCode}`;
  const reason = row.reason ?? `failed${code}`;
  settleTask(ctx, row, 'failed', { reason, finishedAt });
  raise(ctx, row, 'failed', 'medium', `${reason}\n${row.output?.tail.slice(-2_000) ?? ''}`);
}

function raise(
  ctx: Context,
  row: TaskRow,
  what: string,
  severity: 'low' | 'medium' | 'high',
  detail: string,
): void {
  const { directiveId, spec } = row;
  ctx.send(
    'incident_sage',
    'incident.raise',
    {
      fingerprint: `${directiveId}/${spec.id}/${what}`,
      title: `task ${spec.id} ${what}`,
      severity,
      detail: detail.slice(0, 8_000),
      directiveId,
    },
    { correlationId: directiveId },
  );
}
