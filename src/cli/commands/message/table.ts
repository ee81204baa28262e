import type { CommandSpec } from '../../command-spec.ts';
import { count, id, timeout } from '../shared-options.ts';

/** The commands about single messages and dead letters. */
export const messageCommands: readonly CommandSpec[] = [
  {
    path: 'msg send',
    arguments: [
      { name: 'target', required: true },
      { name: 'action', required: true },
    ],
    options: [
      { name: 'payload', value: { placeholder: 'JSON', kind: 'text' } },
      count('priority', 10),
      timeout,
    ],
    load: () => import('./msg-send.ts'),
  },
  { path: 'msg show', arguments: [id], options: [], load: () => import('./msg-show.ts') },
  {
    path: 'dlq list',
    arguments: [],
    options: [{ name: 'elder', value: { placeholder: 'NAME', kind: 'text' } }, count('limit', 100_000)],
    load: () => import('./dlq-list.ts'),
  },
  { path: 'dlq show', arguments: [id], options: [], load: () => import('./dlq-show.ts') },
  { path: 'dlq replay', arguments: [id], options: [timeout], load: () => import('./dlq-replay.ts') },
  {
    path: 'dlq discard',
    arguments: [id],
    options: [timeout],
    load: () => import('./dlq-discard.ts'),
  },
];
