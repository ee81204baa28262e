import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { glob } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keepArtifacts } from '../../../../src/elders/servant/results/keep-artifacts.ts';

const secret = 'not for the task';

function place(t: TestContext) {
  const base = mkdtempSync(join(tmpdir(), 'elders-artifacts-'));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const workspace = join(base, 'work');
  mkdirSync(join(workspace, 'out'), { recursive: true });
  writeFileSync(join(base, 'secret'), secret);
  return { base, workspace, folder: join(base, 'kept') };
}

test('files are kept with their size and hash, and their folders', async (t) => {
  const { workspace, folder } = place(t);
  writeFileSync(join(workspace, 'out', 'a.txt'), 'a\n');
  const kept = await keepArtifacts({ workspace, folder, patterns: ['out/**', 'none'] });
  const sha256 = '87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7';
  assert.deepEqual(kept, { folder, files: [{ path: 'out/a.txt', bytes: 2, sha256 }], problems: [] });
  assert.equal(readFileSync(join(folder, 'out', 'a.txt'), 'utf8'), 'a\n');
});

test('neither a link nor .. nor an absolute pattern leads out of the workspace', async (t) => {
  const { base, workspace, folder } = place(t);
  symlinkSync(join(base, 'secret'), join(workspace, 'link'));
  symlinkSync(base, join(workspace, 'folder'));
  const patterns = ['link', 'folder/secret', '../secret', join(base, 'secret')];
  const kept = await keepArtifacts({ workspace, folder, patterns });
  assert.deepEqual(kept?.files, []);
  assert.ok((kept?.problems.length ?? 0) >= 2, kept?.problems.join('\n'));
  assert.equal(existsSync(folder), false);
  // Without the guard each of them would have been found and copied.
  for (const pattern of patterns) {
    const found: string[] = [];
    for await (const path of glob(pattern, { cwd: workspace })) found.push(path);
    assert.equal(found.length, 1, pattern);
    const [path = ''] = found;
    assert.equal(readFileSync(path.startsWith('/') ? path : join(workspace, path), 'utf8'), secret);
  }
});
