import type { CommandSpec } from '../../command-spec.ts';
import { count, timeout } from '../shared-options.ts';

/** The commands about questions to the sages. */
export const askCommands: readonly CommandSpec[] = [
  {
    path: 'ask',
    arguments: [
      { name: 'sage', required: true },
      { name: 'question', required: false },
    ],
    options: [count('limit', 50), timeout],
    load: () => import('./ask.ts'),
  },
];
