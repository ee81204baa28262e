import type { DirectiveRecord, DirectiveView, TaskRecord } from '../../protocol/directive.ts';
import { type TaskState, taskStates } from '../../protocol/states.ts';
import { failedTestsText } from '../task/tests-text.ts';
import type { Catalog } from '../text/catalog.ts';
import { manyLines, oneLine } from '../text/printable.ts';
import { paintState } from '../text/state-color.ts';
import { renderTable } from '../text/table.ts';
import { spanText, timeText } from '../text/times.ts';

/** Lines of a failed task's output that are shown. */
const tailLines = 20;

/** Counts tasks by state. */
export function countStates(tasks: readonly TaskRecord[]): Map<TaskState, number> {
  const counts = new Map<TaskState, number>();
  for (const { state } of tasks) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/** Writes counts by state: `3 succeeded, 1 failed`. */
export function countsText(counts: ReadonlyMap<string, number>): string {
  const known = taskStates.filter((state) => (counts.get(state) ?? 0) > 0);
  return known.map((state) => `${counts.get(state)} ${state}`).join(', ') || '-';
}

function taskSpan({ startedAt, finishedAt }: TaskRecord, now: number): string {
  return startedAt === null ? '-' : spanText((finishedAt ?? now) - startedAt);
}

/** Shows of failed tasks why, the tests that failed, and the end of what they printed. */
export function failuresText(view: DirectiveView, text: Catalog): string {
  return view.tasks
    .filter(({ state }) => state === 'failed')
    .map((task) => failureText(task, text))
    .join('');
}

function failureText({ id, output, reason, tests }: TaskRecord, text: Catalog): string {
  if (output === null) return `\n${text.report.outputOf(id, oneLine(reason ?? ''))}\n`;
  const printed = manyLines(output.tail).trimEnd();
  const lines = [
    ...(reason === null ? [] : [`(${oneLine(reason)})`]),
    ...(tests ? failedTestsText(tests) : []),
    ...(printed === ''
      ? []
      : printed
          .split('\n')
          .slice(-tailLines)
          .map((line) => `| ${line}`)),
  ];
  return `\n${text.directive.outputOf(id, output.path)}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

const shownWaits = 10;

/** Says of tasks that could run what else they wait for. */
function waitsText(view: DirectiveView, text: Catalog): string {
  const lines = view.tasks
    .filter(({ state, reason }) => state === 'ready' && reason !== null)
    .map(({ id, reason }) => `${text.directive.waits(id, oneLine(reason ?? ''))}\n`);
  const more = lines.length > shownWaits ? '…\n' : '';
  return lines.length === 0 ? '' : `\n${lines.slice(0, shownWaits).join('')}${more}`;
}

/** Sums an ended directive up in one line and shows the output of what failed. */
export function endText(view: DirectiveView, text: Catalog, now: number): string {
  const span = spanText((view.finishedAt ?? now) - view.submittedAt);
  const line = text.directive.ended(
    view.id,
    paintState(view.state),
    countsText(countStates(view.tasks)),
    span,
  );
  const reason = view.reason === null ? '' : `${text.directive.reason}: ${oneLine(view.reason)}\n`;
  return `${line}\n${reason}${failuresText(view, text)}`;
}

function approvalFacts({ approval }: DirectiveView, text: Catalog): [string, string][] {
  if (approval === null) return [];
  const { id, reasons, expiresAt } = approval;
  return [
    [
      text.directive.approval,
      `${text.approval.waits(id, reasons.map(oneLine).join('; '))} (≤ ${timeText(expiresAt)})`,
    ],
  ];
}

/** Shows a directive with its tasks, as `elders directive show` prints it. */
export function viewText(view: DirectiveView, text: Catalog, now: number): string {
  const t = text.directive;
  const facts: [string, string][] = [
    ['id', view.id],
    [t.title, oneLine(view.title)],
    ...(view.goal ? [[t.goal, oneLine(view.goal)] as [string, string]] : []),
    [t.workspace, oneLine(view.workspace)],
    [t.state, paintState(view.state)],
    ...approvalFacts(view, text),
    ...(view.halted === null ? [] : [[t.halted, oneLine(view.halted)] as [string, string]]),
    ...(view.reason === null ? [] : [[t.reason, oneLine(view.reason)] as [string, string]]),
    ...view.lessons.map((lesson): [string, string] => [t.knownBefore, oneLine(lesson)]),
  ];
  const rows = view.tasks.map((task) => [
    task.id,
    paintState(task.state),
    String(task.attempts),
    task.exitCode === null ? '-' : String(task.exitCode),
    task.servant ?? '-',
    taskSpan(task, now),
  ]);
  const table = rows.length === 0 ? '' : `\n${renderTable([t.taskHead, ...rows])}`;
  return `${renderTable(facts)}${table}${waitsText(view, text)}${failuresText(view, text)}`;
}

/** Lists directives, newest first, as `elders directive list` prints them. */
export function listText(directives: readonly DirectiveRecord[], text: Catalog): string {
  if (directives.length === 0) return `${text.directive.none}\n`;
  const rows = directives.map(({ id, state, taskCount, submittedAt, title }) => [
    id,
    paintState(state),
    String(taskCount),
    timeText(submittedAt),
    oneLine(title),
  ]);
  return renderTable([text.directive.listHead, ...rows]);
}
