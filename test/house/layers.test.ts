import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { layerViolations } from '../../scripts/check-layers.ts';

function violationsOf(files: Readonly<Record<string, string>>): string[] {
  const src = mkdtempSync(join(tmpdir(), 'layers-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(src, name)), { recursive: true });
      writeFileSync(join(src, name), text);
    }
    return layerViolations(src).map(({ file, line, reason }) => `${file}:${line} ${reason}`);
  } finally {
    rmSync(src, { recursive: true });
  }
}

const targets = { 'cli/main.ts': 'export const a = 1;', 'identity/key.ts': 'export type Key = string;' };

test('the source keeps the direction of imports', () => {
  assert.deepEqual(layerViolations(resolve(import.meta.dirname, '../../src')), []);
});

test('every form of import against the direction is caught', () => {
  const forms = [
    "import { a } from '../cli/main.ts';",
    "import type { a } from '../cli/main.ts';",
    "import '../cli/main.ts';",
    "export { a } from '../cli/main.ts';",
    "export * from '../cli/main.ts';",
    "const m = await import('../cli/main.ts');",
    "let m: typeof import('../cli/main.ts');",
  ];
  for (const form of forms) {
    const found = violationsOf({ ...targets, 'messaging/planted.ts': `// a comment\n${form}` });
    assert.equal(found.length, 1, form);
    assert.match(found[0] ?? '', /^messaging\/planted\.ts:2 messaging must not import from cli/);
  }
});

test('layers beside each other do not import each other', () => {
  const found = violationsOf({
    ...targets,
    'telemetry/log.ts': "import type { Key } from '../identity/key.ts';",
  });
  assert.match(found.join('\n'), /telemetry must not import from identity/);
});

test('a module that is only known at run time is refused, and require too', () => {
  const found = violationsOf({
    'agents/load.ts': "const name = 'x';\nawait import(name);",
    'agents/old.ts': "import { createRequire } from 'node:module';\ncreateRequire(import.meta.url);",
  });
  assert.equal(found.length, 2);
  for (const line of found) assert.match(line, /:2 imports a module that is only known at run time/);
});

test('protocol does no I/O', () => {
  const found = violationsOf({
    'protocol/a.ts': "import { readFile } from 'node:fs/promises';\nimport { z } from 'zod';",
    'protocol/b.ts': "import { join } from 'node:path';\nimport net from 'net';",
  });
  assert.equal(found.length, 2);
  assert.match(found[0] ?? '', /not node:fs\/promises/);
  assert.match(found[1] ?? '', /not net/);
});

test('an import that leaves the source, and a folder that is no layer, are refused', () => {
  const found = violationsOf({
    'cli/a.ts': "import '../../test/support/command.ts';",
    'utils/b.ts': 'export const b = 1;',
  });
  assert.equal(found.length, 2);
  assert.match(found[0] ?? '', /outside src/);
  assert.match(found[1] ?? '', /utils is no layer/);
});

test('words in comments and strings are no imports, and imports along the direction are allowed', () => {
  const text = `/* import '../cli/main.ts' */\nconst s = "import '../cli/main.ts'";\nimport type { Key } from '../identity/key.ts';`;
  assert.deepEqual(violationsOf({ ...targets, 'messaging/fine.ts': text }), []);
});
