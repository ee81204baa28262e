import type { KnowledgeDraft, PayloadOf } from '../../protocol/actions.ts';
import type { DirectiveSpec } from '../../protocol/directive.ts';

const tailCharacters = 1_500;

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Writes down what a finished directive proves, and only that: outcomes, failures with their output, retries that helped. */
export function lessonOf(
  directive: DirectiveSpec,
  finished: PayloadOf<'report.to_elder.graph_finished'>,
): KnowledgeDraft {
  const { directiveId, outcome, summary, failures, retried, durationMs } = finished;
  const counts = Object.entries(summary).map(([state, count]) => `${count} ${state}`);
  const lines = [
    `Goal: ${directive.goal || '(none given)'}`,
    `Workspace: ${directive.workspace}`,
    `Outcome: ${outcome} after ${seconds(durationMs)}; tasks: ${counts.join(', ')}.`,
    '',
    ...directive.tasks.slice(0, 50).map((task) => `- ${task.id}: \`${task.run.split('\n')[0]}\``),
  ];
  if (directive.tasks.length > 50) lines.push(`- … and ${directive.tasks.length - 50} more tasks`);
  for (const failure of failures) {
    const exit = failure.exitCode === null ? '' : ` (exit code ${failure.exitCode})`;
    lines.push(
      '',
      `## Failed: ${failure.taskId}${exit}`,
      failure.reason,
      '```',
      failure.tail.slice(-tailCharacters),
      '```',
    );
  }
  for (const task of retried) {
    const story = task.attempts.map((attempt) => `${attempt.attempt}. ${attempt.outcome}`).join(', ');
    lines.push('', `## Needed more than one attempt: ${task.taskId}`, story);
  }
  return {
    key: `directive/${directiveId}`,
    title: `${directive.title}: ${outcome}`,
    body: lines.join('\n').slice(0, 60_000),
    tags: ['directive', outcome, 'derived'],
    directiveId,
  };
}
