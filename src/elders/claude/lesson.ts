import type { KnowledgeDraft, PayloadOf } from '../../protocol/actions.ts';
import type { AttemptRecord, DirectiveSpec } from '../../protocol/directive.ts';

const tailCharacters = 1_500;

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** What the records say of each attempt, and what they say differed between them. */
function attemptLines(attempts: readonly AttemptRecord[]): string[] {
  const lines = attempts.map(({ attempt, servant, exitCode, signal, startedAt, finishedAt, reason }) => {
    const took = startedAt === null || finishedAt === null ? null : seconds(finishedAt - startedAt);
    const facts = [
      `on ${servant}`,
      exitCode === null ? null : `exit code ${exitCode}`,
      signal === null ? null : `signal ${signal}`,
      took === null ? null : `after ${took}`,
      reason,
    ];
    return `- ${attempt}: ${facts.filter((fact) => fact !== null).join(', ')}`;
  });
  const servants = new Set(attempts.map(({ servant }) => servant));
  const differs = servants.size > 1 ? 'On record only the servant differs' : 'Nothing on record differs';
  return [...lines, `${differs} between the attempts: each ran the same task.`];
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
    lines.push('', `## Needed more than one attempt: ${task.taskId}`, story, ...attemptLines(task.attempts));
  }
  return {
    key: `directive/${directiveId}`,
    title: `${directive.title}: ${outcome}`,
    body: lines.join('\n').slice(0, 60_000),
    tags: ['directive', outcome, 'derived'],
    directiveId,
    kind: 'lesson',
    derived: true,
    source: `directive ${directiveId}`,
    links: {
      directives: [directiveId],
      tasks: [...new Set([...failures, ...retried].map(({ taskId }) => `${directiveId}/${taskId}`))].slice(
        0,
        32,
      ),
      incidents: [],
    },
  };
}
