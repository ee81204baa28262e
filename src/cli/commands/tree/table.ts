import type { CommandSpec } from '../../command-spec.ts';
import { count } from '../shared-options.ts';

/** The commands about a tree as a whole. */
export const treeCommands: readonly CommandSpec[] = [
  {
    path: 'up',
    arguments: [],
    options: [
      { name: 'detach', short: 'd' },
      { name: 'wait' },
      { name: 'port-base', value: { placeholder: 'N', kind: 'number' } },
      { name: 'servants', value: { placeholder: 'N', kind: 'number' } },
      { name: 'allow-insecure-redis' },
      { name: 'events-fd', value: { placeholder: 'FD', kind: 'number', minimum: 3 }, hidden: true },
    ],
    ownSignals: true,
    streams: true,
    load: () => import('./up.ts'),
  },
  { path: 'down', arguments: [], options: [{ name: 'force' }], load: () => import('./down.ts') },
  { path: 'status', arguments: [], options: [], load: () => import('./status.ts') },
  {
    path: 'describe',
    arguments: [{ name: 'name', required: true }],
    options: [],
    load: () => import('./describe.ts'),
  },
  {
    path: 'top',
    arguments: [],
    options: [
      { name: 'interval', value: { placeholder: 'DURATION', kind: 'duration' } },
      count('count', 1_000_000, 'n'),
    ],
    streams: true,
    ownSignals: true,
    load: () => import('./top.ts'),
  },
  {
    path: 'restart',
    arguments: [{ name: 'names', required: false, variadic: true }],
    options: [{ name: 'all' }],
    load: () => import('./restart.ts'),
  },
  { path: 'reload', arguments: [], options: [], load: () => import('./reload.ts') },
  {
    path: 'scale',
    arguments: [{ name: 'counts', required: false, variadic: true }],
    options: [{ name: 'detach', short: 'd' }],
    load: () => import('./scale.ts'),
  },
  {
    path: 'export',
    arguments: [{ name: 'system', required: true }],
    options: [{ name: 'output', short: 'o', value: { placeholder: 'DIR', kind: 'text' } }, { name: 'user' }],
    load: () => import('./export.ts'),
  },
];
