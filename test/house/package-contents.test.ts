import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { runCommand } from '../support/command.ts';
import { stagePackage } from '../support/staged-package.ts';

const root = resolve(import.meta.dirname, '../..');

test('the package ships JavaScript, its word book, its documents and nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pack-'));
  try {
    await stagePackage(folder);
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const { code, stdout, stderr } = await runCommand('npm', args, { cwd: folder });
    assert.equal(code, 0, stderr);
    const packed: { files: { path: string }[] } = [JSON.parse(stdout)].flat()[0];
    const paths = packed.files.map(({ path }) => path);
    for (const needed of ['package.json', 'LICENSE', 'README.md', 'README.ja.md', 'bin/elders.cjs']) {
      assert.ok(paths.includes(needed), `${needed} is not in the package`);
    }
    assert.ok(paths.includes('dist/cli/main.js'));
    const allowed =
      /^(package\.json|LICENSE|README(\.ja)?\.md|bin\/[\w-]+\.c?js|dist\/[\w/-]+\.js|dist\/elders\/search\/language\/words\/(README\.md|\w+\.txt))$/;
    assert.deepEqual(
      paths.filter((path) => !allowed.test(path)),
      [],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the package would not bring a Node of its own, and needs no install script', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  assert.deepEqual(
    Object.keys(dependencies).filter((name) => /^node(-|$)/.test(name)),
    [],
  );
  for (const [path, entry] of Object.entries<{ dev?: boolean; hasInstallScript?: boolean }>(packages)) {
    if (!entry.dev) assert.ok(!entry.hasInstallScript, `${path} has an install script`);
  }
});
