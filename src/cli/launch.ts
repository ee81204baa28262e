import { fileURLToPath } from 'node:url';

/** The file that starts this program, whether it runs from sources or built. */
export const programFile = fileURLToPath(new URL('../../bin/elders.cjs', import.meta.url));

/** How the manager starts the program of an elder. */
export const launch = {
  command: process.execPath,
  args: (name: string): string[] => [programFile, 'elder', name],
};
