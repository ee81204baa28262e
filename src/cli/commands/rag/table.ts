import type { CommandSpec } from '../../command-spec.ts';
import { count, timeout } from '../shared-options.ts';

/** The commands about the index of folders. */
export const ragCommands: readonly CommandSpec[] = [
  {
    path: 'rag index',
    arguments: [{ name: 'path', required: true }],
    options: [{ name: 'wait' }, timeout],
    load: () => import('./rag-index.ts'),
  },
  {
    path: 'rag search',
    arguments: [{ name: 'query', required: true }],
    options: [
      count('limit', 50),
      { name: 'below', value: { placeholder: 'PATH', kind: 'text' } },
      { name: 'explain' },
      timeout,
    ],
    load: () => import('./rag-search.ts'),
  },
  {
    path: 'rag context',
    arguments: [{ name: 'query', required: true }],
    options: [
      {
        name: 'budget',
        value: { placeholder: 'TOKENS', kind: 'number', minimum: 64, maximum: 100_000 },
      },
      { name: 'below', value: { placeholder: 'PATH', kind: 'text' } },
      timeout,
    ],
    load: () => import('./rag-context.ts'),
  },
  { path: 'rag status', arguments: [], options: [], load: () => import('./rag-status.ts') },
  {
    path: 'rag forget',
    arguments: [{ name: 'path', required: true }],
    options: [],
    load: () => import('./rag-forget.ts'),
  },
];
