import type { DirectiveView, TaskRecord } from '../../src/protocol/directive.ts';

/** A task as it is shown, that has not begun. */
export function taskRecord(id: string, changes: Partial<TaskRecord> = {}): TaskRecord {
  return {
    id,
    run: 'true',
    needs: [],
    priority: 5,
    state: 'waiting',
    attempts: 0,
    exitCode: null,
    servant: null,
    startedAt: null,
    finishedAt: null,
    reason: null,
    output: null,
    history: [],
    ...changes,
  };
}

/** A directive as it is shown. Times are ms since the epoch. */
export function directiveView(tasks: TaskRecord[], changes: Partial<DirectiveView> = {}): DirectiveView {
  return {
    id: 'd1',
    title: 'Release check',
    goal: '',
    workspace: '/nowhere',
    reason: null,
    summary: null,
    lessons: [],
    halted: null,
    approval: null,
    forecast: null,
    state: 'completed',
    taskCount: tasks.length,
    submittedAt: 1_000,
    finishedAt: 61_000,
    tasks,
    ...changes,
  };
}
