import type { Context } from '../../agents/core.ts';
import type { PayloadOf, ReplyOf } from '../../protocol/actions.ts';
import type { Config } from '../../protocol/config.ts';
import type { TaskRecord } from '../../protocol/directive.ts';
import { ElderError } from '../../protocol/errors.ts';
import { isFinalTask, type TaskState } from '../../protocol/states.ts';
import { isAhead } from './ahead.ts';
import { estimateOf, forecast } from './estimates.ts';
import { summaryOf } from './graph.ts';
import { planOf } from './plan.ts';
import { tables } from './rows.ts';
import { directiveRow, revisionAt, stateAt, type Task, taskAt, taskOf } from './tasks.ts';
import { whyWaiting } from './why-waiting.ts';

/** All tails of one answer together, so that it stays well below the limit of a message. */
const tailCharacters = 128_000;
const shownRun = 400;
const shownAttempts = 10;

interface Extent {
  readonly tail: number;
  readonly run: number;
  readonly attempts: number;
}

function record(
  ctx: Context,
  config: Config,
  task: Task,
  { tail, run, attempts: shown }: Extent,
): TaskRecord {
  const { spec, output, matrix, outputs, tests, git, progress, paused, directiveId } = task;
  const { exitCode, startedAt, finishedAt, reason, history } = task;
  // To people it waits until it begins.
  const ahead = isAhead(ctx, task);
  const state = ahead ? 'ready' : task.state;
  const attempts = ahead ? task.attempts - 1 : task.attempts;
  const servant = ahead ? null : task.servant;
  const estimateMs = isFinalTask(state) ? undefined : estimateOf(ctx, directiveId, spec);
  const { createdAt } = directiveRow(ctx, directiveId);
  return {
    id: task.id,
    run: spec.run.length > run ? `${spec.run.slice(0, run)}…` : spec.run,
    needs: spec.needs,
    priority: spec.priority,
    state,
    attempts,
    exitCode,
    servant,
    startedAt,
    finishedAt,
    reason: reason ?? whyWaiting(ctx, config, task) ?? null,
    output: output && { ...output, tail: tail === 0 ? '' : output.tail.slice(-tail) },
    history: history.slice(-shown),
    ...(spec.matrix && { matrix: { ...matrix } }),
    ...(spec.labels && { labels: spec.labels }),
    ...(spec.locks && { locks: spec.locks }),
    ...(spec.condition !== undefined && { condition: spec.condition }),
    ...(outputs && { outputs: { ...outputs } }),
    ...(tests && { tests: { ...tests, failures: tests.failures.slice(0, shown > shownAttempts ? 50 : 10) } }),
    ...(git && { git }),
    ...(progress && { progress }),
    ...(paused && { paused }),
    ...(spec.deadlineMs !== undefined && { deadlineAt: createdAt + spec.deadlineMs }),
    ...(estimateMs && { estimateMs }),
    index: task.index,
  };
}

const extentOf = (together: number): Extent => ({
  tail: Math.max(200, Math.floor(tailCharacters / Math.max(1, together))),
  run: shownRun,
  attempts: shownAttempts,
});

/** Gives the tasks of a directive that changed after a revision, the oldest change first. */
export function graphSince(
  ctx: Context,
  config: Config,
  { directiveId, since, limit }: PayloadOf<'sage.task.graph'>,
): ReplyOf<'sage.task.graph'> {
  const directive = tables(ctx).directives.get(directiveId);
  if (!directive) throw new ElderError('not_found', `the task sage has no directive ${directiveId}`);
  const plan = planOf(ctx, directiveId);
  const changed: Task[] = [];
  if (directive.revision > since) {
    for (const index of plan.tasks.keys()) {
      if (revisionAt(ctx, directiveId, plan, index) > since)
        changed.push(taskAt(ctx, directiveId, plan, index));
    }
  }
  changed.sort((a, b) => a.revision - b.revision || a.index - b.index);
  let page = changed.slice(0, limit);
  const more = changed.length > page.length;
  if (more) page = wholeRevisions(page, changed);
  return {
    directiveId,
    summary: summaryOf(directive),
    revision: more ? (page.at(-1)?.revision ?? since) : directive.revision,
    more,
    tasks: page.map((task) => record(ctx, config, task, extentOf(page.length))),
    paused: directive.paused ?? null,
    archived: directive.archived ?? false,
    forecast: more ? null : (forecast(ctx, directiveId) ?? null),
  };
}

/** A page ends where a revision does: what was skipped or cancelled at once shares one. */
function wholeRevisions(page: readonly Task[], all: readonly Task[]): Task[] {
  const last = page.at(-1)?.revision;
  if (all[page.length]?.revision !== last) return [...page];
  const before = page.filter(({ revision }) => revision !== last);
  // All of the page is one revision: there is no place to end it but behind the last of them.
  return before.length > 0 ? before : all.filter(({ revision }) => revision === last);
}

/** Lists tasks over all directives: of those under way first, then of those that ended last. */
export function listTasks(
  ctx: Context,
  config: Config,
  wanted: PayloadOf<'sage.task.list'>,
): ReplyOf<'sage.task.list'> {
  const { directives } = tables(ctx);
  const { directiveId: only, states, limit } = wanted;
  if (only !== undefined && !directives.has(only)) {
    throw new ElderError('not_found', `the task sage has no directive ${only}`);
  }
  const rows = [...directives.entries()]
    .map(([, row]) => row)
    .filter(({ id }) => only === undefined || id === only);
  rows.sort(
    (a, b) => Number(a.finishedAt !== null) - Number(b.finishedAt !== null) || b.createdAt - a.createdAt,
  );
  const counts: Record<string, number> = {};
  const found: { directiveId: string; index: number }[] = [];
  const isWanted = (state: TaskState) => states.length === 0 || states.includes(state);
  for (const directive of rows) {
    for (const [state, size] of Object.entries(summaryOf(directive)))
      counts[state] = (counts[state] ?? 0) + size;
    if (found.length > limit) continue;
    const plan = planOf(ctx, directive.id);
    for (const index of plan.tasks.keys()) {
      if (found.length > limit) break;
      if (isWanted(stateAt(ctx, directive.id, plan, index))) found.push({ directiveId: directive.id, index });
    }
  }
  const shown = found.slice(0, limit).map(({ directiveId, index }) => {
    const task = taskAt(ctx, directiveId, planOf(ctx, directiveId), index);
    return { directiveId, ...record(ctx, config, task, { tail: 0, run: 200, attempts: 1 }) };
  });
  return { tasks: shown, more: found.length > limit, counts };
}

/** Gives all that is kept of one task. Throws `not_found`. */
export function showTask(
  ctx: Context,
  config: Config,
  { directiveId, taskId }: PayloadOf<'sage.task.show'>,
): ReplyOf<'sage.task.show'> {
  const directive = tables(ctx).directives.get(directiveId);
  if (!directive) throw new ElderError('not_found', `the task sage has no directive ${directiveId}`);
  if (directive.archived) throw new ElderError('not_found', `the tasks of ${directiveId} are archived`);
  const task = taskOf(ctx, directiveId, taskId);
  if (!task) throw new ElderError('not_found', `directive ${directiveId} has no task ${taskId}`);
  const { workspace } = directive;
  return {
    directiveId,
    workspace,
    ...record(ctx, config, task, { tail: 65_536, run: 65_536, attempts: 100 }),
  };
}
