import type { CommandSpec } from '../../command-spec.ts';
import { count, id, reason, task } from '../shared-options.ts';

/** The commands about tasks. */
export const taskCommands: readonly CommandSpec[] = [
  {
    path: 'task list',
    arguments: [{ name: 'id', required: false }],
    options: [{ name: 'state', value: { placeholder: 'STATES', kind: 'text' } }, count('limit', 500)],
    load: () => import('./task-list.ts'),
  },
  { path: 'task show', arguments: [task], options: [], load: () => import('./task-show.ts') },
  {
    path: 'task logs',
    arguments: [task],
    options: [{ name: 'follow', short: 'f' }, count('attempt', 100_000)],
    streams: true,
    load: () => import('./task-logs.ts'),
  },
  {
    path: 'task graph',
    arguments: [id],
    options: [
      { name: 'format', value: { placeholder: 'FORMAT', kind: 'text', choices: ['text', 'dot', 'mermaid'] } },
    ],
    load: () => import('./task-graph.ts'),
  },
  {
    path: 'task add',
    arguments: [id, { name: 'file', required: true }],
    options: [],
    load: () => import('./task-add.ts'),
  },
  { path: 'task retry', arguments: [task], options: [], load: () => import('./task-retry.ts') },
  {
    path: 'task cancel',
    arguments: [task],
    options: [{ name: 'subtree' }, reason],
    load: () => import('./task-cancel.ts'),
  },
  {
    path: 'task pause',
    arguments: [task],
    options: [{ name: 'subtree' }, reason],
    load: () => import('./task-pause.ts'),
  },
  {
    path: 'task clean',
    arguments: [{ name: 'id', required: false }],
    options: [{ name: 'yes' }],
    load: () => import('./task-clean.ts'),
  },
  {
    path: 'task resume',
    arguments: [task],
    options: [{ name: 'subtree' }],
    load: () => import('./task-resume.ts'),
  },
];
