import type { ServantRow } from '../src/elders/task/rows.ts';
import type { Task } from '../src/elders/task/tasks.ts';
import type { IncidentRecord } from '../src/protocol/actions.ts';
import { isFinalTask } from '../src/protocol/states.ts';
import type { Evidence } from './checker.ts';
import type { Execution } from './executions.ts';

const nameOf = (directiveId: string, taskId: string, attempt: number) =>
  `${directiveId}/${taskId}#${attempt}`;

/** Every task has one outcome, which is what its commands did; nothing ran before its needs or after its end. */
export function checkTasks({ view, submissions, executions }: Evidence): string[] {
  const tasks = view.tasks();
  const incidents = view.rows<IncidentRecord>('incident_sage', 'incidents');
  const problems: string[] = [];
  const ran = new Map<string, Execution>();
  // An order to end a command that was given up and handled again later comes too late.
  const late = view.handled().some(({ x }) => x?.code === 'internal');
  for (const execution of executions) {
    const { directiveId, taskId, attempt } = execution;
    const name = nameOf(directiveId, taskId, attempt);
    if (ran.has(name)) problems.push(`${name} ran twice`);
    ran.set(name, execution);
    const row = tasks.get(`${directiveId}/${taskId}`);
    if (!row) problems.push(`${name} ran and the task sage does not know it`);
    else problems.push(...checkTiming(row, execution, tasks, late).map((problem) => `${name} ${problem}`));
  }
  for (const { id, spec } of submissions) {
    if (!view.graphs().has(id)) continue;
    for (const task of spec.tasks) {
      const row = tasks.get(`${id}/${task.id}`);
      if (!row) problems.push(`${id}/${task.id} is lost`);
      else problems.push(...checkOutcome(row, ran).map((problem) => `${id}/${task.id} ${problem}`));
      const incident = `task_sage/${id}/${task.id}/failed`;
      if (row?.state === 'failed' && !incidents.has(incident)) problems.push(`no incident ${incident}`);
    }
  }
  if (view.rows('task_sage', 'leases').size > 0) problems.push('a lease is left over');
  if (view.rows('task_sage', 'ready').size > 0) problems.push('a task is still queued');
  for (const [name, servant] of view.rows<ServantRow>('task_sage', 'servants')) {
    if (servant.lease !== null) problems.push(`${name} is taken for busy`);
    if (servant.ahead !== undefined) problems.push(`${name} is taken for having another task`);
    if (!servant.available) problems.push(`${name} gets no work any more`);
  }
  return problems;
}

function checkTiming(
  row: Task,
  execution: Execution,
  tasks: ReadonlyMap<string, Task>,
  late: boolean,
): string[] {
  const problems: string[] = [];
  for (const need of row.spec.needs) {
    const needed = tasks.get(`${row.directiveId}/${need}`);
    const ready = needed?.state === 'succeeded' && (needed.finishedAt ?? Infinity) <= execution.startedAt;
    if (!ready) problems.push(`began before ${need} had succeeded`);
  }
  if (!late && execution.startedAt > (row.finishedAt ?? Infinity))
    problems.push(`began after its task was ${row.state}`);
  return problems;
}

function checkOutcome(row: Task, ran: ReadonlyMap<string, Execution>): string[] {
  const { state, history, attempts, spec, directiveId } = row;
  const problems: string[] = [];
  if (!isFinalTask(state)) return [`is still ${state}`];
  if (history.length !== attempts) problems.push(`has ${history.length} records of ${attempts} attempts`);
  for (const [index, record] of history.entries()) {
    if (record.attempt !== index + 1) problems.push(`has attempt ${record.attempt} in place ${index + 1}`);
    const execution = ran.get(nameOf(directiveId, spec.id, record.attempt));
    if (execution && execution.servant !== record.servant) problems.push('was told by another servant');
    const { outcome, exitCode } = record;
    const told = outcome === 'succeeded' || outcome === 'failed';
    if (told && (!execution || execution.exitCode !== exitCode)) {
      problems.push(`attempt ${record.attempt} is recorded as ${outcome} (${exitCode}) and was not`);
    }
    if (outcome === 'succeeded' && index < history.length - 1)
      problems.push('went on after it had succeeded');
  }
  const last = history.at(-1)?.outcome;
  if ((state === 'succeeded') !== (last === 'succeeded')) problems.push(`is ${state}, last attempt ${last}`);
  const failures = history.filter(({ outcome }) => outcome === 'failed' || outcome === 'timed_out').length;
  if (failures > spec.retries + 1) problems.push(`failed ${failures} times with ${spec.retries} retries`);
  if (state === 'failed' && failures !== spec.retries + 1 && row.lost < 10) {
    problems.push(`is failed after ${failures} failures and ${row.lost} losses`);
  }
  if (state === 'skipped' && attempts > 0) problems.push('is skipped and ran');
  return problems;
}
