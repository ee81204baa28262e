import { fileURLToPath } from 'node:url';

/** The file that starts this program, whether it runs from sources or built. */
export const programFile = fileURLToPath(new URL('../../bin/elders.cjs', import.meta.url));

/** MB of each half of the young heap: V8 would let it grow to four times that under load before it collects. */
const semiSpaceMb = 8;

/** Options of Node for the process of an elder. */
export const nodeOptions = [`--max-semi-space-size=${semiSpaceMb}`];

/** How the manager starts the program of an elder. */
export const launch = {
  command: process.execPath,
  args: (name: string): string[] => [...nodeOptions, programFile, 'elder', name],
};
