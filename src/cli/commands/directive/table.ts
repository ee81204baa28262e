import type { CommandSpec } from '../../command-spec.ts';
import { count, id, reason, timeout } from '../shared-options.ts';

/** The commands about directives. */
export const directiveCommands: readonly CommandSpec[] = [
  {
    path: 'directive submit',
    arguments: [{ name: 'file', required: true }],
    options: [{ name: 'wait' }, timeout],
    load: () => import('./directive-submit.ts'),
  },
  {
    path: 'directive list',
    arguments: [],
    options: [count('limit', 1_000)],
    load: () => import('./directive-list.ts'),
  },
  {
    path: 'directive show',
    arguments: [id],
    options: [{ name: 'wait' }, timeout],
    load: () => import('./directive-show.ts'),
  },
  {
    path: 'directive report',
    arguments: [id],
    options: [
      { name: 'format', value: { placeholder: 'FORMAT', kind: 'text', choices: ['markdown', 'html'] } },
      { name: 'output', short: 'o', value: { placeholder: 'FILE', kind: 'text' } },
    ],
    load: () => import('./directive-report.ts'),
  },
  {
    path: 'directive cancel',
    arguments: [id],
    options: [reason],
    load: () => import('./directive-cancel.ts'),
  },
];
