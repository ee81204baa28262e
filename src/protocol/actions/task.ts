import { z } from 'zod';
import { directiveForecast, maxTasks, taskRecord, taskSpec } from '../directive.ts';
import { taskOperations, taskStates } from '../states.ts';
import type { ActionSpec } from './action-spec.ts';
import { directiveId } from './ids.ts';

/** Tasks for a directive that is under way. */
const addedTasks = z.object({ directiveId, tasks: z.array(taskSpec).min(1).max(maxTasks) });

/** What a person wants of a task, or with `null` of all tasks of a directive. */
const taskOrder = z.object({
  directiveId,
  taskId: z.string().max(128).nullable(),
  operation: z.enum(taskOperations),
  subtree: z.boolean().default(false).describe('With everything that waits for it.'),
  reason: z.string().max(500),
});

const taskOrderResult = z.object({
  directiveId,
  operation: z.enum(taskOperations),
  count: z.int().describe('How many tasks it changed.'),
  tasks: z.array(z.string()).describe('The first hundred of them.'),
});

/** Task graphs and single tasks, as people and the claude elder see them. */
export const taskActions = {
  'sage.task.create': {
    type: 'command',
    summary: 'Own this graph of tasks and have it executed.',
    payload: z.object({
      directiveId,
      title: z.string(),
      workspace: z.string(),
      tasks: z.array(taskSpec),
      deadlineMs: z.int().min(1).optional(),
    }),
  },
  'development.task.add': {
    type: 'command',
    summary: 'Add tasks to a directive under way; they may need those that it has.',
    payload: addedTasks,
    reply: z.object({ directiveId, added: z.int() }),
  },
  'sage.task.add': {
    type: 'command',
    summary: 'Add tasks to a graph under way.',
    payload: addedTasks,
    reply: z.object({ directiveId, added: z.int() }),
  },
  'development.task.control': {
    type: 'command',
    summary: 'Pause, resume, retry or cancel a task, or all tasks of a directive.',
    payload: taskOrder,
    reply: taskOrderResult,
  },
  'sage.task.control': {
    type: 'command',
    summary: 'Pause, resume, retry or cancel a task, or all tasks of a directive.',
    payload: taskOrder,
    reply: taskOrderResult,
  },
  'sage.task.cancel': {
    type: 'command',
    summary: 'Cancel every unfinished task of a directive.',
    payload: z.object({ directiveId, reason: z.string() }),
  },
  'sage.task.graph': {
    type: 'query',
    summary:
      'The tasks of one directive that changed after revision `since`, oldest change first; 0 gives all.',
    payload: z.object({
      directiveId,
      since: z.int().min(0).default(0),
      limit: z.int().min(1).max(200).default(200),
    }),
    reply: z.object({
      directiveId,
      summary: z.record(z.string(), z.int()),
      revision: z.int().describe('Ask with this as `since` for what comes after.'),
      more: z.boolean(),
      tasks: z.array(taskRecord),
      paused: z.string().nullable().default(null).describe('Why none of its tasks starts now.'),
      archived: z.boolean().default(false).describe('Its tasks are no longer kept.'),
      forecast: directiveForecast.nullable().default(null),
    }),
  },
  'sage.task.list': {
    type: 'query',
    summary: 'Tasks over all directives, those under way first.',
    payload: z.object({
      directiveId: directiveId.optional(),
      states: z.array(z.enum(taskStates)).default([]).describe('Only these; none given means all.'),
      limit: z.int().min(1).max(500).default(100),
    }),
    reply: z.object({
      tasks: z.array(taskRecord.extend({ directiveId })),
      more: z.boolean(),
      counts: z.record(z.string(), z.int()).describe('All tasks that are kept, by state.'),
    }),
  },
  'sage.task.show': {
    type: 'query',
    summary: 'All that is kept of one task.',
    payload: z.object({ directiveId, taskId: z.string().max(128) }),
    reply: taskRecord.extend({ directiveId, workspace: z.string() }),
  },
} as const satisfies Record<string, ActionSpec>;
