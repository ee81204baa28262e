import type { Answer, Context, Core, Json, Received } from '../../agents/core.ts';
import { relay, relayAnswer } from '../../agents/relay.ts';
import type { DirectiveSpec } from '../../protocol/directive.ts';
import { relayedCommands, relayHandlers } from '../relayed-commands.ts';
import { lessonOf } from './lesson.ts';
import { type EndedDirective, failuresOf, type RecordedFailure, recoveriesOf } from './recovery.ts';

/** A directive that this elder plans or has under way. */
interface Plan {
  readonly directive: DirectiveSpec;
  readonly phase: 'consulting' | 'handed_over' | 'ended';
  /** When it ended, ms since the epoch. */
  readonly endedAt?: number;
  /** Tasks of it that failed, once it has ended. */
  readonly failed?: readonly RecordedFailure[];
}

const consultMs = 5_000;
const consulted = 3;
/** Ended directives whose plan is kept, for those who retry tasks of them. */
const keptPlans = 100;
const plans = (ctx: Context) => ctx.table<Plan>('plans');

function plan(ctx: Context, { payload }: Received<'development.directive.execute'>): void {
  const { directiveId, directive } = payload;
  if (plans(ctx).has(directiveId)) return;
  plans(ctx).put(directiveId, { directive, phase: 'consulting' });
  const query = `${directive.title} ${directive.goal}`.slice(0, 2_000);
  const options = { deadlineMs: consultMs, then: 'planWithKnowledge', data: directiveId };
  ctx.ask('knowledge_sage', 'sage.knowledge.search', { query, limit: consulted, distinct: true }, options);
}

/** Hands the plan over; that the knowledge sage is away must not stop the work, so any answer will do. */
function planWithKnowledge(ctx: Context, answer: Answer, data: Json): void {
  const found = answer as Answer<'sage.knowledge.search'>;
  handOver(ctx, String(data), found.ok ? found.result.entries.map((entry) => entry.title) : []);
}

function handOver(ctx: Context, directiveId: string, lessons: string[]): void {
  const row = plans(ctx).get(directiveId);
  if (row?.phase !== 'consulting') return;
  const { title, workspace, tasks, deadlineMs } = row.directive;
  plans(ctx).put(directiveId, { ...row, phase: 'handed_over' });
  const story = { correlationId: directiveId };
  ctx.send('task_sage', 'sage.task.create', { directiveId, title, workspace, tasks, deadlineMs }, story);
  ctx.send('grand_elder', 'report.directive.progress', { directiveId, state: 'planned', lessons }, story);
}

/** Passes on what somebody wants of the tasks of a directive, which the sage must know by then: knowledge is not waited for any more. */
function steer(command: 'development.task.add' | 'development.task.control') {
  const { target, action } = relayedCommands[command];
  return (ctx: Context, received: Received<typeof command>): void => {
    handOver(ctx, received.payload.directiveId, []);
    relay(ctx, received, target, action, received.payload as never);
  };
}

function cancel(ctx: Context, { payload }: Received<'development.directive.cancel'>): void {
  const { directiveId, reason } = payload;
  const row = plans(ctx).get(directiveId);
  if (!row || row.phase === 'ended') return;
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
  if (row?.phase !== 'handed_over') return;
  const lessons = [
    lessonOf(row.directive, payload),
    ...recoveriesOf(row.directive, payload, endedPlans(ctx)),
  ];
  const failed = failuresOf(payload);
  plans(ctx).put(directiveId, { ...row, phase: 'ended', endedAt: ctx.now(), failed });
  forgetPlans(ctx);
  for (const lesson of lessons) ctx.send('knowledge_sage', 'sage.knowledge.store', lesson);
  const [first] = failures;
  const reason = first ? `${first.taskId}: ${first.reason}` : null;
  ctx.send('grand_elder', 'report.directive.finished', { directiveId, outcome, reason, summary });
}

function endedPlans(ctx: Context): EndedDirective[] {
  return [...plans(ctx).entries()].flatMap(([directiveId, { directive, phase, endedAt = 0, failed = [] }]) =>
    phase === 'ended' ? [{ directiveId, directive, endedAt, failed }] : [],
  );
}

function forgetPlans(ctx: Context): void {
  const ended = [...plans(ctx).entries()].filter(([, { phase }]) => phase === 'ended');
  if (ended.length <= keptPlans) return;
  ended.sort(([, a], [, b]) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  for (const [id] of ended.slice(0, ended.length - keptPlans)) plans(ctx).delete(id);
}

function reopened(ctx: Context, directiveId: string): void {
  const row = plans(ctx).get(directiveId);
  if (row?.phase !== 'ended') return;
  plans(ctx).put(directiveId, { directive: row.directive, phase: 'handed_over' });
  ctx.send('grand_elder', 'report.directive.progress', { directiveId, state: 'reopened' });
}

/** The claude elder: plans accepted directives, has the sages carry them out, and sums up. */
export function claudeElder(): Core {
  return {
    handlers: {
      'development.directive.execute': plan,
      'development.directive.cancel': cancel,
      'report.to_elder.graph_started': (ctx, { payload: { directiveId } }) => {
        if (plans(ctx).get(directiveId)?.phase !== 'handed_over') return;
        ctx.send('grand_elder', 'report.directive.progress', { directiveId, state: 'executing' });
      },
      'report.to_elder.graph_reopened': (ctx, { payload }) => reopened(ctx, payload.directiveId),
      'report.to_elder.graph_finished': sumUp,
      ...relayHandlers((command) => relayedCommands[command]),
      'development.task.add': steer('development.task.add'),
      'development.task.control': steer('development.task.control'),
    },
    continuations: { planWithKnowledge, relayAnswer },
  };
}
