import { readdirSync } from 'node:fs';
import { join } from 'node:path';

// Each benchmark is a file of this folder that runs when it is imported and reads the arguments after its name.
const available = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();
const name = process.argv[2];
if (name === undefined || !available.includes(name)) {
  const problem = name === undefined ? 'Name a benchmark' : `There is no benchmark ${name}`;
  process.stderr.write(`${problem}: npm run bench -- NAME, where NAME is one of ${available.join(', ')}\n`);
  process.exitCode = 2;
} else {
  // So that what a benchmark started ends with it, however it is interrupted.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
  process.argv.splice(2, 1);
  await import(join(import.meta.dirname, `${name}.ts`));
}
