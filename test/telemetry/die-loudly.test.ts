import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'loud-'));
after(() => rmSync(folder, { recursive: true }));

const source = (name: string) => pathToFileURL(join(import.meta.dirname, '../../src/telemetry', name)).href;

/** Runs a process that goes wrong and would live for ever; gives its exit code and the last line of its log. */
function run(name: string, wrong: string): { code: number | null; last: { level: string; msg: string } } {
  const file = join(folder, name);
  const program = `
    import { createLogger } from '${source('logger.ts')}';
    import { dieLoudly } from '${source('die-loudly.ts')}';
    dieLoudly(createLogger({ name: 'x', file: '${file}', level: 'info', maxBytes: 1e6, files: 1 }), () => {
      throw new Error('the note cannot be written');
    });
    setInterval(() => {}, 1_000);
    ${wrong}`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
  return {
    code: status,
    last: JSON.parse(readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) as string),
  };
}

test('what nobody handles ends the process with 1, and is the last line of its log', () => {
  for (const [what, wrong] of [
    ['unhandled rejection', 'void Promise.reject(new Error("x"));'],
    ['uncaught exception', 'setImmediate(() => { throw new Error("x"); });'],
  ] as const) {
    const { code, last } = run(what.replace(' ', '-'), wrong);
    assert.deepEqual([code, last.level, last.msg], [1, 'fatal', what]);
  }
});
