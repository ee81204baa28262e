import { z } from 'zod';
import { duration, size } from './values.ts';

/** What one attempt may use, besides its time. */
export const sandboxLimits = z
  .strictObject({
    memory: size('4GB').describe('Memory of all processes of a command together.'),
    processes: z.int().min(8).default(1_024).describe('Processes and threads of a command.'),
    cpuTime: duration('8h').describe('CPU time of all processes of a command together.'),
    fileSize: size('10GB').describe('The largest file that a command may write.'),
    temporary: size('1GB').describe('What each temporary folder of a command holds, in memory.'),
    output: size('64MB').describe('What is kept of the output of a command; its end always is.'),
    diskReserve: size('250MB').describe('A command is ended when less is left on the disk of its workspace.'),
    niceness: z
      .int()
      .min(0)
      .max(19)
      .default(10)
      .describe('How far a command stands back for the elders where the processor is short; 0: not at all.'),
  })
  .prefault({})
  .describe('What one attempt at a task may use, besides its time.');
