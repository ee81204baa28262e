import type { CommandSpec } from '../../command-spec.ts';
import { id } from '../shared-options.ts';

/** The commands about finding out what is wrong. */
export const diagnosisCommands: readonly CommandSpec[] = [
  { path: 'trace', arguments: [id], options: [], load: () => import('./trace.ts') },
  { path: 'doctor', arguments: [], options: [], load: () => import('./doctor.ts') },
  { path: 'config print', arguments: [], options: [], load: () => import('./config-print.ts') },
];
