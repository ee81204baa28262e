import type { Context } from '../../agents/core.ts';
import { isFinalTask } from '../../protocol/states.ts';
import { settleTask } from './gates.ts';
import { endAttemptEarly } from './leases.ts';
import { planOf, type Template } from './plan.ts';
import { type DirectiveRow, directiveOf, gateKey, tables } from './rows.ts';
import { type Task, taskAt } from './tasks.ts';

/** How many tasks one step ends because their time is over. */
const endedPerStep = 500;

/** Notes when templates with a deadline want to be looked at. */
export function watchDeadlines(
  ctx: Context,
  { id, createdAt }: DirectiveRow,
  templates: readonly Template[],
): void {
  const { deadlines } = tables(ctx);
  for (const { index, spec } of templates) {
    if (spec.deadlineMs !== undefined) deadlines.put(gateKey(id, index), createdAt + spec.deadlineMs);
  }
}

/** When the next deadline passes (ms since the epoch). */
export function nextDeadline(ctx: Context): number | undefined {
  return tables(ctx).deadlines.first('')?.row;
}

/** Ends what is not done by its deadline. Gives the directives touched. */
export function checkDeadlines(ctx: Context): Set<string> {
  const { deadlines } = tables(ctx);
  const touched = new Set<string>();
  let budget = endedPerStep;
  for (let head = deadlines.first(''); head && head.row <= ctx.now(); head = deadlines.first('')) {
    const directiveId = directiveOf(head.id);
    touched.add(directiveId);
    const plan = planOf(ctx, directiveId);
    const of = head.id.slice(directiveId.length + 1);
    const { first, count } =
      of === '' ? { first: 0, count: plan.tasks.length } : (plan.templates[Number(of)] as Template);
    let expired = 0;
    for (let index = first; index < first + count; index += 1) {
      const task = taskAt(ctx, directiveId, plan, index);
      if (isFinalTask(task.state)) continue;
      if (budget === 0) return touched;
      budget -= 1;
      expired += 1;
      expire(ctx, task, of === '' ? 'the deadline of the directive has passed' : 'its deadline has passed');
    }
    if (expired > 0) raiseMissed(ctx, directiveId, of === '' ? null : plan.templates[Number(of)], expired);
    deadlines.delete(head.id);
  }
  return touched;
}

/** One incident for all that a deadline ended, which may be many. */
function raiseMissed(
  ctx: Context,
  directiveId: string,
  template: Template | null | undefined,
  expired: number,
): void {
  const what = template ? `task ${template.spec.id}` : `directive ${directiveId}`;
  const report = {
    fingerprint: `${directiveId}/${template?.spec.id ?? ''}/deadline`,
    title: `${what} missed its deadline`,
    severity: 'medium' as const,
    detail: `tasks that had not ended by then: ${expired}`,
    directiveId,
  };
  ctx.send('incident_sage', 'incident.raise', report, { correlationId: directiveId });
}

function expire(ctx: Context, task: Task, reason: string): void {
  if (task.lease === null) settleTask(ctx, task, 'failed', { reason });
  else endAttemptEarly(ctx, task.lease, { state: 'failed', reason });
}
