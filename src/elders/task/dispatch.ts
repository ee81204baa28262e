import type { Context } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import type { TaskSpec } from '../../protocol/directive.ts';
import { fillPlaceholders, hasPlaceholder } from '../../protocol/placeholders.ts';
import { isReserved, labelsOf } from '../../protocol/servant-kinds.ts';
import { outputOf, resultOf, unpark } from './gates.ts';
import { isHalted } from './halts.ts';
import { neededTasks, planOf } from './plan.ts';
import { wakeDelayed } from './queue.ts';
import { nextOrder, type ReadyRow, tables } from './rows.ts';
import { staff } from './staff.ts';
import { changeTask, directiveRow, type Task, taskAt, taskOf } from './tasks.ts';

interface Candidate {
  readonly id: string;
  readonly group: string;
  readonly row: ReadyRow;
  readonly running: number;
  readonly served: number;
}

/** The higher priority first; of equal ones that of the directive which has less running, then which waits longer. */
function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.row.priority !== b.row.priority) return a.row.priority > b.row.priority;
  if (a.running !== b.running) return a.running < b.running;
  if (a.row.directiveId !== b.row.directiveId && a.served !== b.served) return a.served < b.served;
  const [deadline, other] = [a.row.deadlineAt ?? Infinity, b.row.deadlineAt ?? Infinity];
  return deadline === other ? a.row.order < b.row.order : deadline < other;
}

/** The tasks that a servant takes. */
interface Likes {
  readonly labels: ReadonlySet<string>;
  /** Only those that ask for a label. */
  readonly reserved: boolean;
}

/** Finds the task that a servant should run next; looks at the first of each group only. */
function choose(ctx: Context, { labels, reserved }: Likes): Candidate | undefined {
  const { ready, directives, locks } = tables(ctx);
  let best: Candidate | undefined;
  for (const group of ready.groups()) {
    const head = ready.first(group);
    const directive = head && directives.get(head.row.directiveId);
    if (!head || !directive || directive.paused !== undefined || isHalted(ctx, directive.id)) continue;
    if (!head.row.labels.every((label) => labels.has(label))) continue;
    if (reserved && head.row.labels.length === 0) continue;
    if (head.row.locks.some((lock) => locks.has(lock))) continue;
    const candidate = {
      ...head,
      group,
      running: directive.counts.running ?? 0,
      served: directive.served ?? 0,
    };
    if (!best || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

/** The task as its servant gets it: nothing of the graph, every value filled in. */
function assignmentOf(ctx: Context, task: Task): TaskSpec {
  const { directiveId, id, spec, matrix } = task;
  const { matrix: _, condition: __, locks: ___, deadlineMs: ____, ...rest } = spec;
  const plan = planOf(ctx, directiveId);
  const fill = (text: string) =>
    fillPlaceholders(text, (placeholder) => {
      if (placeholder.kind === 'matrix') return matrix[placeholder.name] ?? '';
      if (placeholder.kind === 'result') return resultOf(ctx, directiveId, plan, placeholder.need);
      return outputOf(ctx, directiveId, plan, placeholder.need, placeholder.name);
    });
  const filled = Object.entries(spec.env).map(([name, text]) => [
    name,
    hasPlaceholder(text) ? fill(text) : text,
  ]);
  const combination = Object.entries(matrix).map(([name, text]) => [`MATRIX_${name.toUpperCase()}`, text]);
  return { ...rest, id, needs: [], env: Object.fromEntries([...combination, ...filled]) };
}

/** The commits of the tasks that this one needs, in the order of its needs, each once. */
function basesOf(ctx: Context, { directiveId, template }: Task): string[] {
  const plan = planOf(ctx, directiveId);
  const commits = [...neededTasks(plan, template)].map(
    (at) => taskAt(ctx, directiveId, plan, at).git?.commit,
  );
  return [...new Set(commits.filter((commit) => typeof commit === 'string'))];
}

function assign(ctx: Context, config: Config, name: string, { group, id, row }: Candidate): boolean {
  const { servants, leases, directives, ready, locks } = tables(ctx);
  ready.delete(id);
  unpark(ctx, group);
  const task = taskOf(ctx, row.directiveId, id.slice(row.directiveId.length + 1));
  const servant = servants.get(name);
  if (task?.state !== 'ready' || !servant) return false;
  const { directiveId, spec } = task;
  const lease = ctx.newId();
  const attempt = task.attempts + 1;
  const leaseMs = config.tasks.lease;
  const expiresAt = ctx.now() + leaseMs;
  leases.put(lease, { directiveId, taskId: task.id, servant: name, attempt, expiresAt, revoked: false });
  for (const lock of row.locks) locks.put(lock, lease);
  servants.put(name, { ...servant, lease });
  directives.put(directiveId, { ...directiveRow(ctx, directiveId), served: nextOrder(ctx) });
  changeTask(ctx, task, {
    state: 'running',
    attempts: attempt,
    servant: name,
    lease,
    startedAt: null,
    progress: null,
  });
  const { workspace } = directiveRow(ctx, directiveId);
  const payload = {
    directiveId,
    workspace,
    task: assignmentOf(ctx, task),
    attempt,
    lease,
    leaseMs,
    expiresAt,
    ...(spec.git && { bases: basesOf(ctx, task) }),
  };
  const options = { correlationId: directiveId, priority: spec.priority, expiresInMs: leaseMs };
  ctx.send(name, 'sage.task.assign', payload, options);
  return true;
}

/** Hands ready tasks to idle servants, each under a lease of its own. */
export function dispatch(ctx: Context, config: Config): void {
  wakeDelayed(ctx);
  const { servants, ready } = tables(ctx);
  const hopeless = new Set<string>();
  for (const name of staff(ctx)) {
    if (ready.size === 0) return;
    const servant = servants.get(name);
    if (!servant?.available || servant.lease !== null) continue;
    const likes = { labels: labelsOf(config, name), reserved: isReserved(config, name) };
    const alike = `${likes.reserved} ${[...likes.labels].join(' ')}`;
    if (hopeless.has(alike)) continue;
    let found = choose(ctx, likes);
    while (found && !assign(ctx, config, name, found)) found = choose(ctx, likes);
    if (!found) hopeless.add(alike);
  }
}

/** Gives back the locks that a lease held. */
export function unlock(ctx: Context, lease: string): void {
  const { locks } = tables(ctx);
  for (const [name, holder] of [...locks.entries()]) if (holder === lease) locks.delete(name);
}
