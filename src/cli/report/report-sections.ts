import type { TaskRecord } from '../../protocol/directive.ts';
import { countStates, countsText } from '../directive/directive-text.ts';
import { incidentRow } from '../oversight/incident-row.ts';
import type { Catalog } from '../text/catalog.ts';
import { manyLines, oneLine } from '../text/printable.ts';
import { spanText, timeText } from '../text/times.ts';
import type { Report } from './collect-report.ts';

/** A part of a report, before it becomes Markdown or HTML. */
export type Section =
  | { readonly kind: 'facts'; readonly title: string; readonly rows: readonly (readonly [string, string])[] }
  | { readonly kind: 'timeline'; readonly title: string }
  | {
      readonly kind: 'table';
      readonly title: string;
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | { readonly kind: 'text'; readonly title: string; readonly text: string };

const shownTailLines = 40;
const shownTasks = 1_000;

function durationOf({ startedAt, finishedAt }: TaskRecord, now: number): string {
  return startedAt === null ? '-' : spanText((finishedAt ?? now) - startedAt);
}

function failureSections({ view }: Report, text: Catalog): Section[] {
  const failed = view.tasks.filter(({ state }) => state === 'failed').slice(0, 50);
  return failed.flatMap((task): Section[] => {
    const tests = task.tests?.failures ?? [];
    const byName: Section[] =
      tests.length === 0
        ? []
        : [
            {
              kind: 'table',
              title: text.report.failedTests(task.id),
              head: text.report.testHead,
              rows: tests.map(({ name, message }) => [oneLine(name), oneLine(message)]),
            },
          ];
    const tail = manyLines(task.output?.tail ?? '')
      .trimEnd()
      .split('\n')
      .slice(-shownTailLines)
      .join('\n');
    const title = text.report.outputOf(task.id, oneLine(task.reason ?? ''));
    return [...byName, { kind: 'text', title, text: tail === '' ? text.report.noOutput : tail }];
  });
}

/** Writes down what happened, part by part: facts only, each from a record. */
export function sectionsOf(report: Report, text: Catalog): Section[] {
  const { view, incidents, changes, writtenAt } = report;
  const t = text.report;
  const end = view.finishedAt ?? writtenAt;
  const facts: [string, string][] = [
    ['id', view.id],
    [text.directive.state, view.state],
    ...(view.goal ? [[text.directive.goal, oneLine(view.goal)] as [string, string]] : []),
    [text.directive.workspace, oneLine(view.workspace)],
    [t.submitted, timeText(view.submittedAt)],
    [t.ended, view.finishedAt === null ? '-' : timeText(view.finishedAt)],
    [t.duration, spanText(end - view.submittedAt)],
    [t.tasks, countsText(countStates(view.tasks))],
    [t.attempts, String(view.tasks.reduce((sum, { attempts }) => sum + attempts, 0))],
    ...(view.reason === null ? [] : [[text.directive.reason, oneLine(view.reason)] as [string, string]]),
    ...view.lessons.map((lesson): [string, string] => [text.directive.knownBefore, oneLine(lesson)]),
  ];
  const retried = view.tasks.filter(({ attempts }) => attempts > 1);
  const sections: Section[] = [
    { kind: 'facts', title: oneLine(view.title), rows: facts },
    { kind: 'timeline', title: t.timeline },
    ...failureSections(report, text),
    {
      kind: 'table',
      title: t.tasks,
      head: text.directive.taskHead,
      rows: view.tasks
        .slice(0, shownTasks)
        .map((task) => [
          task.id,
          task.state,
          String(task.attempts),
          task.exitCode === null ? '-' : String(task.exitCode),
          task.servant ?? '-',
          durationOf(task, writtenAt),
        ]),
    },
  ];
  if (retried.length > 0) {
    sections.push({
      kind: 'table',
      title: t.retries,
      head: text.task.attemptHead,
      rows: retried.flatMap((task) =>
        task.history.map(({ attempt, outcome, exitCode, servant, startedAt, finishedAt, reason }) => [
          `${task.id} #${attempt}`,
          outcome ?? '-',
          exitCode === null ? '-' : String(exitCode),
          servant,
          startedAt === null ? '-' : spanText((finishedAt ?? writtenAt) - startedAt),
          oneLine(reason ?? ''),
        ]),
      ),
    });
  }
  if (incidents.length > 0) {
    sections.push({
      kind: 'table',
      title: t.incidents,
      head: text.ask.incidentHead,
      rows: incidents.map(incidentRow),
    });
  }
  if (changes !== null) {
    const commits = changes.commits.map(oneLine).join('\n') || t.noCommits;
    sections.push({ kind: 'text', title: t.commits, text: commits });
    if (changes.uncommitted !== '') {
      sections.push({ kind: 'text', title: t.uncommitted, text: manyLines(changes.uncommitted) });
    }
  }
  return sections;
}
