import type { KnowledgeDraft } from '../src/protocol/actions.ts';
import type { DirectiveRecord } from '../src/protocol/directive.ts';
import { isFinalDirective } from '../src/protocol/states.ts';
import type { Evidence } from './checker.ts';
import type { Submission } from './human.ts';
import type { StoreView } from './store-view.ts';

/** Every acknowledged directive has ended, its record says what the tasks say, and a cancel was not lost. */
export function checkDirectives({ view, submissions }: Evidence): string[] {
  const records = view.directives();
  const problems = submissions.flatMap((submission) => {
    const record = records.get(submission.id);
    return checkOne(view, submission, record).map((problem) => `${submission.id}: ${problem}`);
  });
  const plans = [...view.rows<{ phase: string }>('claude_elder', 'plans').values()];
  const left = plans.filter(({ phase }) => phase !== 'ended').length;
  if (left > 0) problems.push(`${left} plans are still under way`);
  return problems;
}

function checkOne(view: StoreView, submission: Submission, record: DirectiveRecord | undefined): string[] {
  const { id, submitted } = submission;
  if (submitted === null) return ['the human never got an answer'];
  if ('error' in submitted) return [`the submission was refused: ${submitted.error.reason}`];
  if (!record) return ['it was acknowledged and then lost'];
  if (!isFinalDirective(record.state)) return [`it is still ${record.state}`];
  const rejected = submission.spec.workspace === '/';
  if (rejected) return record.state === 'rejected' ? [] : [`it should be rejected and is ${record.state}`];
  const problems = checkCancel(view, submission, record);
  const graph = view.graphs().get(id);
  if (!graph) {
    if (record.state !== 'cancelled') problems.push(`it is ${record.state} and was never handed over`);
    return problems;
  }
  if (graph.finishedAt === null) problems.push('the task sage has not finished it');
  const counts = Object.fromEntries(Object.entries(graph.counts).filter(([, count]) => count > 0));
  const told = JSON.stringify(Object.entries(record.summary ?? {}).sort());
  const kept = JSON.stringify(Object.entries(counts).sort());
  if (told !== kept) problems.push(`its record says ${told}, its tasks say ${kept}`);
  const bad = (counts.failed ?? 0) + (counts.skipped ?? 0) + (counts.cancelled ?? 0) > 0;
  const cancelled = graph.cancelReason !== null && (counts.cancelled ?? 0) > 0;
  const expected = cancelled ? 'cancelled' : bad ? 'failed' : 'completed';
  if (record.state !== expected) problems.push(`it is ${record.state} and should be ${expected}`);
  const lesson = view.rows<KnowledgeDraft>('knowledge_sage', 'knowledge').get(`directive/${id}`);
  if (!lesson?.tags.includes(expected)) problems.push('the knowledge sage has no lesson of it');
  return problems;
}

/** An acknowledged cancel ends the directive, unless its work was over by the time the cancel arrived. */
function checkCancel(view: StoreView, { id, cancelled }: Submission, record: DirectiveRecord): string[] {
  if (cancelled === null || 'error' in cancelled || record.state === 'cancelled') return [];
  const messages = view.messages().filter(({ message }) => message.payload.directiveId === id);
  // What was given up first and handled again later has lost its place among the others.
  const dead = new Set(view.handled().flatMap(({ x, m }) => (x ? [m] : [])));
  if (messages.some(({ message }) => dead.has(message.message_id))) return [];
  const actedAt = (action: string, target: string) => {
    const sent = messages.find(({ message }) => message.action === action && message.target_elder === target);
    return view.handled().find(({ m, x }) => m === sent?.message.message_id && x === undefined)?.at;
  };
  const graph = view.graphs().get(id);
  // It did arrive; what still ran has ended well before it could be stopped.
  if ((graph?.cancelReason ?? null) !== null) return [];
  const over = graph?.finishedAt ?? Infinity;
  const atSage = actedAt('sage.task.cancel', 'task_sage');
  if (atSage !== undefined) return atSage < over ? ['its cancel was lost at the task sage'] : [];
  const atClaude = actedAt('development.directive.cancel', 'claude_elder') ?? Infinity;
  return atClaude < over ? ['its cancel was lost at the claude elder'] : [];
}
