import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const out = resolve(root, process.argv[2] ?? 'dist');

// A file that no longer has a source would otherwise be packed for ever.
rmSync(out, { recursive: true, force: true });
const tsc = spawnSync(
  resolve(root, 'node_modules/.bin/tsc'),
  ['-p', resolve(root, 'tsconfig.build.json'), '--outDir', out],
  { stdio: 'inherit' },
);
if (tsc.error) throw tsc.error;
// The dictionary of the search engine is data.
const words = 'elders/search/language/words';
cpSync(join(root, 'src', words), join(out, words), { recursive: true });
process.exitCode = tsc.status ?? 1;
