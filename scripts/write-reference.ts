import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { referenceDocs } from '../src/cli/reference/docs.ts';

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** Lists how the files of `folder` differ from the reference that the code gives; empty means up to date. */
export function staleReference(folder: string): string[] {
  const wanted = referenceDocs();
  const present = new Set(filesBelow(folder));
  const problems = [...present].filter((name) => !wanted.has(name)).map((name) => `${name}: no longer made`);
  for (const [name, content] of wanted) {
    if (!present.has(name)) problems.push(`${name}: missing`);
    else if (readFileSync(join(folder, name), 'utf8') !== content) problems.push(`${name}: out of date`);
  }
  return problems;
}

function write(folder: string): void {
  const wanted = referenceDocs();
  for (const name of filesBelow(folder)) if (!wanted.has(name)) rmSync(join(folder, name));
  for (const [name, content] of wanted) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

if (import.meta.main) {
  const folder = resolve(import.meta.dirname, '../docs/reference');
  mkdirSync(folder, { recursive: true });
  if (process.argv.includes('--check')) {
    const problems = staleReference(folder);
    for (const problem of problems) process.stderr.write(`docs/reference/${problem}\n`);
    if (problems.length > 0) process.stderr.write('Bring it up to date with `npm run docs`.\n');
    process.exitCode = problems.length > 0 ? 1 : 0;
  } else write(folder);
}
