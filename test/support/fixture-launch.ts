import { join } from 'node:path';
import type { ElderProgram } from '../../src/supervision/isolation/elder-program.ts';

const program = join(import.meta.dirname, 'fixture-elder.ts');

/** How a test tree launches its elders. */
export const fixtureLaunch: ElderProgram = { command: process.execPath, args: (name) => [program, name] };
