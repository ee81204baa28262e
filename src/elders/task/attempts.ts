import type { Context } from '../../agents/core.ts';
import type { AttemptResult } from '../../protocol/actions.ts';
import type { Config } from '../../protocol/config.ts';
import type { AttemptRecord } from '../../protocol/directive.ts';
import { unlock } from './assign.ts';
import { learnDuration } from './estimates.ts';
import { makeReady, settleTask } from './gates.ts';
import { longestDelayMs } from './queue.ts';
import { type LeaseRow, tables } from './rows.ts';
import { changeTask, type Task, taskOf } from './tasks.ts';

const keptAttempts = 100;
/** How much output stays in the state; the file at the servant has all of it. */
const keptTail = { succeeded: 2_000, otherwise: 16_000 };

/** The task that runs under a lease; `undefined` when the lease is over, so that what comes late changes nothing. */
export function underLease(
  ctx: Context,
  leaseId: string,
  servant: string,
): { lease: LeaseRow; row: Task } | undefined {
  const lease = tables(ctx).leases.get(leaseId);
  const row = lease && taskOf(ctx, lease.directiveId, lease.taskId);
  if (!lease || !row || lease.servant !== servant || row.lease !== leaseId) {
    ctx.log.warn({ lease: leaseId, servant }, 'a report under a lease that is over was not acted on');
    return undefined;
  }
  return { lease, row };
}

/** Records how an attempt ended and decides what becomes of its task. */
export function endAttempt(ctx: Context, config: Config, row: Task, result: AttemptResult): void {
  const { directives, leases } = tables(ctx);
  const lease = leases.get(result.lease);
  const halted = result.outcome === 'cancelled' && lease?.halted === true;
  const ending = lease?.ending;
  leases.delete(result.lease);
  unlock(ctx, result.lease);
  const { exitCode, signal, startedAt, finishedAt, reason } = result;
  const cancelReason = directives.get(row.directiveId)?.cancelReason ?? null;
  // An attempt that was ended only because its lease ran out is no decision about the task.
  const isLost = result.outcome === 'cancelled' && cancelReason === null && !halted && !ending;
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
    ...(result.git && { git: result.git }),
    ...(result.usage && { usage: result.usage }),
    ...(result.artifacts && { artifacts: result.artifacts }),
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
    outputs: result.outputs ?? row.outputs,
    tests: result.tests ?? null,
    git: result.git ?? null,
    reason,
  });
  if (outcome === 'succeeded') {
    if (startedAt !== null) learnDuration(ctx, row.directiveId, row.spec, finishedAt - startedAt);
    settleTask(ctx, ended, 'succeeded', { finishedAt });
  } else if (ending) settleTask(ctx, ended, ending.state, { finishedAt, reason: ending.reason });
  else if (cancelReason !== null) settleTask(ctx, ended, 'cancelled', { finishedAt, reason: cancelReason });
  else if (halted) makeReady(ctx, ended, ctx.now());
  else if (outcome === 'lost') afterLoss(ctx, config, ended);
  else afterFailure(ctx, config, ended, outcome !== 'refused', finishedAt);
}

function afterLoss(ctx: Context, config: Config, row: Task): void {
  raise(ctx, row, 'lost', 'low', `lost its servant ${row.servant} in attempt ${row.attempts}`);
  if (row.lost < config.tasks.lostAttempts) {
    makeReady(ctx, row, ctx.now());
    return;
  }
  const reason = `its servant was lost ${row.lost} times`;
  settleTask(ctx, row, 'failed', { reason });
  raise(ctx, row, 'failed', 'high', reason);
}

function afterFailure(ctx: Context, config: Config, row: Task, mayRetry: boolean, finishedAt: number): void {
  if (mayRetry && row.failures <= row.spec.retries) {
    const delay = Math.min(longestDelayMs, config.tasks.retryDelay * 2 ** (row.failures - 1));
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
  row: Task,
  what: string,
  severity: 'low' | 'medium' | 'high',
  detail: string,
): void {
  const { directiveId, id } = row;
  ctx.send(
    'incident_sage',
    'incident.raise',
    {
      fingerprint: `${directiveId}/${id}/${what}`,
      title: `task ${id} ${what}`,
      severity,
      detail: detail.slice(0, 8_000),
      directiveId,
    },
    { correlationId: directiveId },
  );
}
