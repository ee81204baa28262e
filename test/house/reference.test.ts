import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { staleReference } from '../../scripts/write-reference.ts';
import { referenceDocs } from '../../src/cli/reference/docs.ts';
import { errorTable } from '../../src/protocol/errors.ts';

const reference = resolve(import.meta.dirname, '../../docs/reference');

test('docs/reference is what the code gives', () => {
  assert.deepEqual(staleReference(reference), [], 'bring it up to date with `npm run docs`');
});

test('a missing, a changed and a superfluous file of the reference are noticed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reference-'));
  try {
    const [[first], ...others] = [...referenceDocs()] as [[string, string], ...[string, string][]];
    writeFileSync(join(folder, 'old.md'), 'no longer made');
    writeFileSync(join(folder, first), 'changed by hand');
    const expected = ['old.md: no longer made', `${first}: out of date`];
    assert.deepEqual(staleReference(folder), [...expected, ...others.map(([name]) => `${name}: missing`)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the error table and the error reference name the same codes, with what to do', () => {
  const text = readFileSync(join(reference, 'errors.md'), 'utf8');
  const documented = [...text.matchAll(/^(?:#+ |\| ?)`([a-z_]+)`/gm)].map((match) => match[1]);
  assert.deepEqual(documented.toSorted(), Object.keys(errorTable).sort());
  for (const { en, next } of Object.values(errorTable)) {
    assert.ok(text.includes(en), en);
    assert.ok(text.includes(next.en), next.en);
  }
});
