import type { CommandSpec } from '../../command-spec.ts';
import { count, timeout } from '../shared-options.ts';

/** The commands about single processes. */
export const processCommands: readonly CommandSpec[] = [
  {
    path: 'logs',
    arguments: [{ name: 'names', required: false, variadic: true }],
    options: [
      { name: 'follow', short: 'f' },
      count('lines', 1_000_000, 'n'),
      {
        name: 'level',
        value: { placeholder: 'LEVEL', kind: 'text', choices: ['debug', 'info', 'warn', 'error'] },
      },
    ],
    streams: true,
    load: () => import('./logs.ts'),
  },
  {
    path: 'health',
    arguments: [{ name: 'name', required: true }],
    options: [{ name: 'live' }, { name: 'ready' }, timeout],
    load: () => import('./health.ts'),
  },
  { path: 'cert list', arguments: [], options: [], load: () => import('./cert-list.ts') },
  {
    path: 'cert rotate',
    arguments: [{ name: 'name', required: false }],
    options: [{ name: 'all' }, { name: 'ca' }, timeout],
    load: () => import('./cert-rotate.ts'),
  },
  {
    path: 'cert revoke',
    arguments: [{ name: 'name', required: true }],
    options: [{ name: 'no-restart' }],
    load: () => import('./cert-revoke.ts'),
  },
];
