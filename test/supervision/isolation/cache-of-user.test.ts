import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { warmCompileCache } from '../../../src/cli/warm-cache.ts';
import { cacheOfUser } from '../../../src/supervision/isolation/own-user/cache-of-user.ts';

const options = ['--max-semi-space-size=8'];

test('what the manager has compiled is found by an elder with a user of its own', async (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'cache-'));
  t.after(() => rmSync(cache, { recursive: true }));
  const filled = await warmCompileCache(cache, options);
  assert.ok(filled !== null && readdirSync(filled).length > 100);
  assert.equal(await warmCompileCache(cache, options), filled, 'it is not filled twice');

  // The name by which Node would look for it as this user, with the options that elders have.
  const ask = `const m = require('node:module'); m.enableCompileCache(${JSON.stringify(cache)}); console.log(m.getCompileCacheDir())`;
  const sought = execFileSync(process.execPath, [...options, '-e', ask], { encoding: 'utf8' }).trim();
  assert.equal(sought, filled);
  const user = process.getuid?.() ?? 0;
  const shown = cacheOfUser(cache, filled.replace(/-\d+$/, '-1'), user);
  assert.equal(shown[4], sought);
  // Nobody can write beside it either.
  assert.deepEqual(shown.slice(0, 2), ['--tmpfs', cache]);
  assert.deepEqual(shown.slice(-2), ['--remount-ro', cache]);
  assert.match(basename(filled), /^v\d+\./);
});

test('without a cache there is nothing to show', () => {
  assert.deepEqual(cacheOfUser('/cache', null, 1), []);
});
