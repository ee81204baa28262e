import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { type Lock, missingOptionals } from '../../scripts/complete-lock.ts';

const text = readFileSync(resolve(import.meta.dirname, '../../package-lock.json'), 'utf8');

test('the lock file names no registry', () => {
  assert.doesNotMatch(text, /"resolved"|https?:\/\/registry/);
});

test('the lock file holds the optional packages of every platform, without which npm ci refuses it', () => {
  const lock: Lock = JSON.parse(text);
  assert.deepEqual(missingOptionals(lock), [], 'run `node scripts/complete-lock.ts`');
});

test('an optional package that is left out is noticed', () => {
  const lock: Lock = {
    packages: { 'node_modules/a': { optionalDependencies: { 'a-darwin-arm64': '1.0.0' } } },
  };
  assert.deepEqual(missingOptionals(lock), [['node_modules/a', 'a-darwin-arm64', '1.0.0']]);
});
