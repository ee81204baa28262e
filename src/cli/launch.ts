import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ElderProgram } from '../supervision/isolation/elder-program.ts';
import { warmCompileCache } from './warm-cache.ts';

/** The file that starts this program, whether it runs from sources or built. */
export const programFile = fileURLToPath(new URL('../../bin/elders.cjs', import.meta.url));

/** MB of each half of the young heap: V8 would let it grow to four times that under load before it collects. */
const semiSpaceMb = 8;

/** Options of Node for the process of an elder. */
export const nodeOptions = [`--max-semi-space-size=${semiSpaceMb}`];

/** As `bin/elders.cjs` has it for a process that is given HOME and no other folder of the user. */
const cache = join(homedir(), '.cache', 'elders-tree');
let warming: Promise<string | null> | undefined;

/** How the manager starts the program of an elder. */
export const launch: ElderProgram = {
  command: process.execPath,
  args: (name) => [...nodeOptions, programFile, 'elder', name],
  files: { program: programPaths(), cache, warm: () => (warming ??= warmCompileCache(cache, nodeOptions)) },
};

/** In a checkout the folders of the program only, since the checkout may be the project, too. */
function programPaths(): string[] {
  const root = realpathSync(dirname(dirname(programFile)));
  const own = ['bin', 'src', 'dist', 'package.json'].map((name) => join(root, name));
  // Dependencies lie beside an installed package or, as links, anywhere below the outermost such folder.
  const outermost = /^.*?[/]node_modules(?=[/])/.exec(root)?.[0] ?? join(root, 'node_modules');
  return [...own, outermost].filter((path) => existsSync(path));
}
