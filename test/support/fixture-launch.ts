import { join } from 'node:path';
import type { Launch } from '../../src/supervision/elder-process.ts';

const program = join(import.meta.dirname, 'fixture-elder.ts');

/** How a test tree launches its elders. */
export const fixtureLaunch: Launch = { command: process.execPath, args: (name) => [program, name] };
