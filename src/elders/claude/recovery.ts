import { isDeepStrictEqual } from 'node:util';
import type { KnowledgeDraft, PayloadOf } from '../../protocol/actions.ts';
import type { DirectiveSpec, TaskSpec } from '../../protocol/directive.ts';

type Finished = PayloadOf<'report.to_elder.graph_finished'>;

/** How a task of a directive that has ended failed. */
export interface RecordedFailure {
  readonly taskId: string;
  readonly reason: string;
  readonly exitCode: number | null;
  /** How often it was tried. */
  readonly attempts: number;
}

/** A directive that has ended, with the tasks that failed. */
export interface EndedDirective {
  readonly directiveId: string;
  readonly directive: DirectiveSpec;
  readonly failed: readonly RecordedFailure[];
  /** Ms since the epoch. */
  readonly endedAt: number;
}

const mostRecoveries = 10;
const shownCharacters = 2_000;

/** Keeps of a report which tasks failed, and after how many attempts. */
export function failuresOf({ failures, retried }: Finished): RecordedFailure[] {
  const attempts = new Map(retried.map((task) => [task.taskId, task.attempts.length]));
  return failures.map(({ taskId, reason, exitCode }) => ({
    ...{ taskId, reason: reason.slice(0, 300), exitCode, attempts: attempts.get(taskId) ?? 1 },
  }));
}

function fenced(text: string): string {
  return `\`\`\`\n${text.slice(0, shownCharacters)}\n\`\`\``;
}

/** Lists what differs between two tasks as they are written; of variables only the names, for their values may be secret. */
function differences(before: TaskSpec, after: TaskSpec): string[] {
  const lines: string[] = [];
  if (before.run !== after.run)
    lines.push('The command was', fenced(before.run), 'and is', fenced(after.run));
  const variables = [...new Set([...Object.keys(before.env), ...Object.keys(after.env)])].filter(
    (name) => before.env[name] !== after.env[name],
  );
  if (variables.length > 0) lines.push(`Variables that differ: ${variables.join(', ')}.`);
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof TaskSpec)[]) {
    if (name === 'run' || name === 'env' || isDeepStrictEqual(before[name], after[name])) continue;
    lines.push(
      `\`${name}\`: ${JSON.stringify(before[name] ?? null)} → ${JSON.stringify(after[name] ?? null)}`,
    );
  }
  return lines;
}

function allSucceeded({ outcome, summary }: Finished): boolean {
  return outcome === 'completed' && Object.keys(summary).every((state) => state === 'succeeded');
}

/**
 * Writes down which tasks passed that had failed in an earlier directive of the same workspace, and what differs between
 * the two as they are written. It claims no cause: the records hold none. Only where every task succeeded,
 * because only then is it on record that each did.
 */
export function recoveriesOf(
  directive: DirectiveSpec,
  finished: Finished,
  ended: readonly EndedDirective[],
): KnowledgeDraft[] {
  if (!allSucceeded(finished)) return [];
  const newest = ended
    .filter((each) => each.directive.workspace === directive.workspace)
    .sort((a, b) => b.endedAt - a.endedAt);
  return directive.tasks
    .flatMap((task) => {
      for (const { directiveId, directive: earlier, failed } of newest) {
        const before = earlier.tasks.find(({ id }) => id === task.id);
        if (!before) continue;
        // What passed the last time has not recovered now.
        const failure = failed.find(({ taskId }) => taskId === task.id);
        return failure ? [recovery({ task, before, failure, directiveId }, finished.directiveId)] : [];
      }
      return [];
    })
    .slice(0, mostRecoveries);
}

interface Recovered {
  readonly task: TaskSpec;
  readonly before: TaskSpec;
  readonly failure: RecordedFailure;
  /** Where it failed. */
  readonly directiveId: string;
}

function recovery({ task, before, failure, directiveId }: Recovered, passedIn: string): KnowledgeDraft {
  const { attempts, reason, exitCode } = failure;
  const times = attempts === 1 ? 'once' : attempts === 2 ? 'twice' : `${attempts} times`;
  const exit = exitCode === null ? '' : `, exit code ${exitCode}`;
  const changes = differences(before, task);
  const body = [
    `Task \`${task.id}\` failed ${times} in directive ${directiveId} (${reason}${exit}) and passed in ${passedIn}.`,
    '',
    '## What differs between the two as they are written',
    ...(changes.length > 0
      ? changes
      : ['Nothing: the task is the same. What changed outside of it is not on record.']),
    '',
    'That it passed because of this is not proved.',
  ];
  return {
    key: `recovery/${passedIn}/${task.id}`,
    title: `${task.id}: failed ${times}, then passed${changes.length > 0 ? ' with a change' : ' unchanged'}`,
    body: body.join('\n').slice(0, 60_000),
    tags: ['recovery', 'derived'],
    directiveId: passedIn,
    kind: 'lesson',
    derived: true,
    source: `directives ${directiveId} and ${passedIn}`,
    links: {
      directives: [directiveId, passedIn],
      tasks: [`${directiveId}/${task.id}`, `${passedIn}/${task.id}`],
      incidents: [],
    },
  };
}
