import assert from 'node:assert/strict';
import { cpSync, globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand } from './command.ts';

const root = resolve(import.meta.dirname, '../..');

/** Builds the package as `npm pack` would see it, in `folder` instead of in the repository, so that tests do not meet. */
export async function stagePackage(folder: string): Promise<void> {
  for (const entry of globSync(['package.json', 'bin', 'README*.md', 'LICENSE'], { cwd: root })) {
    cpSync(join(root, entry), join(folder, entry), { recursive: true });
  }
  const built = await runCommand(process.execPath, [join(root, 'scripts/build.ts'), join(folder, 'dist')], {
    cwd: root,
  });
  assert.equal(built.code, 0, built.stdout + built.stderr);
}
