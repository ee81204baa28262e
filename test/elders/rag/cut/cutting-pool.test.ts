import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CuttingPool } from '../../../../src/elders/rag/cut/cutting-pool.ts';

test('a pool cuts files in several threads, more of them than it takes at once', async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'elders-pool-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pool = new CuttingPool(1_000_000, 2);
  t.after(() => pool.close());
  const names = Array.from({ length: 150 }, (_, at) => `${at}.md`);
  for (const name of names) writeFileSync(join(folder, name), `# ${name}\n\nword${name}\n`);
  const cuts = await Promise.all(
    names.map((name) => pool.cut({ path: join(folder, name), shown: name, size: 20, knownHash: undefined })),
  );
  assert.deepEqual(
    cuts.map(({ prepared }) => prepared?.document.title),
    names,
  );
});
