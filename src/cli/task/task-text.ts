import type { ReplyOf } from '../../protocol/actions.ts';
import type { AttemptProgress, AttemptRecord, GitResult } from '../../protocol/directive.ts';
import { countsText } from '../directive/directive-text.ts';
import type { Catalog } from '../text/catalog.ts';
import { manyLines, oneLine } from '../text/printable.ts';
import { sizeText } from '../text/sizes.ts';
import { paintState } from '../text/state-color.ts';
import { renderTable } from '../text/table.ts';
import { spanText, timeText } from '../text/times.ts';
import { failedTestsText, testCountsText } from './tests-text.ts';

type Listed = ReplyOf<'sage.task.list'>;
type Shown = ReplyOf<'sage.task.show'>;

function spanOf(
  { startedAt, finishedAt }: Pick<AttemptRecord, 'startedAt' | 'finishedAt'>,
  now: number,
): string {
  return startedAt === null ? '-' : spanText((finishedAt ?? now) - startedAt);
}

/** Writes progress in one line: `3/10 text`. */
export function progressText({ done, total, text }: AttemptProgress): string {
  const steps = done === null ? '' : total === 100 ? `${done}%` : `${done}/${total}`;
  return oneLine([steps, text].filter((part) => part !== '').join(' '));
}

function gitText({ branch, commit, patch, merged, worktree, files }: GitResult): string {
  const parts = [
    branch,
    commit?.slice(0, 12),
    files > 0 ? `(${files})` : undefined,
    merged === null ? undefined : `→ ${merged}`,
    patch,
    worktree,
  ];
  return parts.filter((part) => part !== null && part !== undefined).join(' ') || '-';
}

function leftText({ usage, artifacts }: AttemptRecord, text: Catalog): [string, string][] {
  const left: [string, string][] = [];
  if (usage) {
    const { cpuMs, memoryPeak, readBytes, writtenBytes } = usage;
    const io = `${sizeText(readBytes)} r, ${sizeText(writtenBytes)} w`;
    left.push([text.task.usage, `${spanText(cpuMs)} CPU, ${sizeText(memoryPeak)}, ${io}`]);
  }
  for (const { path, bytes, sha256 } of artifacts?.files ?? []) {
    const kept = `${artifacts?.folder}/${path} ${sizeText(bytes)} ${sha256.slice(0, 12)}`;
    left.push([text.task.artifacts, oneLine(kept)]);
  }
  for (const problem of artifacts?.problems ?? []) left.push([text.task.artifacts, oneLine(problem)]);
  return left;
}

/** Lists tasks as `elders task list` prints them. */
export function taskListText({ tasks, more, counts }: Listed, text: Catalog, now: number): string {
  if (tasks.length === 0) return `${text.task.none}\n`;
  const rows = tasks.map((task) => [
    `${task.directiveId}/${task.id}`,
    paintState(task.state, task.paused ? `${task.state} ${text.task.paused}` : task.state),
    String(task.priority),
    String(task.attempts),
    task.servant ?? '-',
    spanOf(task, now),
    oneLine(task.run).slice(0, 60),
  ]);
  const sums = countsText(new Map(Object.entries(counts)));
  return `${renderTable([text.task.listHead, ...rows])}${more ? `${text.task.more}\n` : ''}${sums}\n`;
}

/** Shows a task with its attempts and the end of its output, as `elders task show` prints it. */
export function taskText(task: Shown, text: Catalog, now: number): string {
  const facts: [string, string][] = [
    ['id', `${task.directiveId}/${task.id}`],
    ['state', paintState(task.state, task.paused ? `${task.state} ${text.task.paused}` : task.state)],
    ['run', oneLine(task.run)],
    ['workspace', oneLine(task.workspace)],
    ['priority', String(task.priority)],
  ];
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') facts.push([name, oneLine(value)]);
  };
  const pairs = (values: Readonly<Record<string, string>> | undefined) =>
    values &&
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
  add('needs', task.needs.join(' '));
  add('if', task.condition);
  add('matrix', pairs(task.matrix));
  add('labels', task.labels?.join(' '));
  add('locks', task.locks?.join(' '));
  add('deadline', task.deadlineAt === undefined ? undefined : timeText(task.deadlineAt));
  add('outputs', pairs(task.outputs));
  if (task.progress) add(text.task.progress, progressText(task.progress));
  if (task.git) add(text.task.git, gitText(task.git));
  if (task.tests) add(text.task.tests, testCountsText(task.tests));
  add('reason', task.reason ?? undefined);
  if (task.estimateMs) {
    const { p50, p90, samples } = task.estimateMs;
    facts.push([text.task.estimate, `p50 ${spanText(p50)}, p90 ${spanText(p90)} (n=${samples})`]);
  }
  const last = task.history.at(-1);
  if (last) facts.push(...leftText(last, text));
  const attempts = task.history.map((attempt) => [
    String(attempt.attempt),
    attempt.outcome ?? '-',
    attempt.exitCode === null ? '-' : String(attempt.exitCode),
    attempt.servant,
    spanOf(attempt, now),
    oneLine(attempt.reason ?? ''),
  ]);
  const table = attempts.length === 0 ? '' : `\n${renderTable([text.task.attemptHead, ...attempts])}`;
  const output = task.output
    ? `\n${text.directive.outputOf(task.id, task.output.path)}\n${manyLines(task.output.tail).trimEnd()}\n`
    : '';
  const failed = task.tests ? failedTestsText(task.tests).map((line) => `  ${line}\n`) : [];
  const tests = failed.length === 0 ? '' : `\n${text.report.failedTests(task.id)}:\n${failed.join('')}`;
  return `${renderTable(facts)}${table}${tests}${output}`;
}
