import type { Answer, Context, Core, Json, Received } from '../../agents/core.ts';
import type { DirectiveSpec } from '../../protocol/directive.ts';
import { lessonOf } from './lesson.ts';

/** A directive that this elder plans or has under way. */
interface Plan {
  readonly directive: DirectiveSpec;
  readonly phase: 'consulting' | 'handed_over';
}

const consultMs = 5_000;
const consulted = 3;
const plans = (ctx: Context) => ctx.table<Plan>('plans');

function plan(ctx: Context, { payload }: Received<'development.directive.execute'>): void {
  const { directiveId, directive } = payload;
  if (plans(ctx).has(directiveId)) return;
  plans(ctx).put(directiveId, { directive, phase: 'consulting' });
  const query = `${directive.title} ${directive.goal}`.slice(0, 2_000);
  const options = { deadlineMs: consultMs, then: 'planWithKnowledge', data: directiveId };
  ctx.ask('knowledge_sage', 'sage.knowledge.search', { query, limit: consulted }, options);
}

/** Hands the plan over; that the knowledge sage is away must not stop the work, so any answer will do. */
function planWithKnowledge(ctx: Context, answer: Answer, data: Json): void {
  const directiveId = String(data);
  const row = plans(ctx).get(directiveId);
  if (row?.phase !== 'consulting') return;
  const found = answer as Answer<'sage.knowledge.search'>;
  const lessons = found.ok ? found.result.entries.map((entry) => entry.title) : [];
  const { title, workspace, tasks } = row.directive;
  plans(ctx).put(directiveId, { ...row, phase: 'handed_over' });
  const story = { correlationId: directiveId };
  ctx.send('task_sage', 'sage.task.create', { directiveId, title, workspace, tasks }, story);
  ctx.send('grand_elder', 'report.directive.progress', { directiveId, state: 'planned', lessons }, story);
}

function cancel(ctx: Context, { payload }: Received<'development.directive.cancel'>): void {
  const { directiveId, reason } = payload;
  const row = plans(ctx).get(directiveId);
  if (!row) return;
  if (row.phase === 'handed_over') {
    // In the lane of `create`, because in a faster one it could arrive before what it cancels.
    ctx.send('task_sage', 'sage.task.cancel', { directiveId, reason });
    return;
  }
  plans(ctx).delete(directiveId);
  const summary = { cancelled: row.directive.tasks.length };
  ctx.send('grand_elder', 'report.directive.finished', {
    directiveId,
    outcome: 'cancelled',
    reason,
    summary,
  });
}

/** Sums up: what the workers' outcomes prove goes to the knowledge sage, the result to the grand elder. */
function sumUp(ctx: Context, { payload }: Received<'report.to_elder.graph_finished'>): void {
  const { directiveId, outcome, summary, failures } = payload;
  const row = plans(ctx).get(directiveId);
  if (!row) return;
  plans(ctx).delete(directiveId);
  ctx.send('knowledge_sage', 'sage.knowledge.store', lessonOf(row.directive, payload));
  const [first] = failures;
  const reason = first ? `${first.taskId}: ${first.reason}` : null;
  ctx.send('grand_elder', 'report.directive.finished', { directiveId, outcome, reason, summary });
}

/** The claude elder: plans accepted directives, has the sages carry them out, and sums up. */
export function claudeElder(): Core {
  return {
    handlers: {
      'development.directive.execute': plan,
      'development.directive.cancel': cancel,
      'report.to_elder.graph_started': (ctx, { payload: { directiveId } }) => {
        if (!plans(ctx).has(directiveId)) return;
        ctx.send('grand_elder', 'report.directive.progress', { directiveId, state: 'executing' });
      },
      'report.to_elder.graph_finished': sumUp,
    },
    continuations: { planWithKnowledge },
  };
}
