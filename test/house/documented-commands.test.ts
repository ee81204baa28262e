import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root });

function textOf(document: string): string {
  return readFileSync(join(root, document), 'utf8');
}

test('every npm command that a document names exists', () => {
  const { scripts } = JSON.parse(textOf('package.json'));
  for (const document of documents) {
    for (const [command, name] of textOf(document).matchAll(/\bnpm (?:run )?(?:--silent )?([a-z:-]+)/g)) {
      if (!command.startsWith('npm run ') && name !== 'test') continue;
      assert.ok(Object.hasOwn(scripts, name ?? ''), `${document}: ${command}`);
    }
  }
});

test('every link of a document into the repository leads somewhere', () => {
  for (const document of documents) {
    for (const [, target = ''] of textOf(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, dirname(document), target)), `${document}: ${target}`);
    }
  }
});

test('each README leads with the two commands', () => {
  for (const readme of ['README.md', 'README.ja.md']) {
    const block = /```(?:sh|bash|console)?\n([\s\S]*?)```/.exec(textOf(readme))?.[1] ?? '';
    assert.match(block, /npm run quickstart/, readme);
    assert.match(block, /npm test/, readme);
  }
});

test('.ci/run runs the test command of the README', () => {
  assert.match(textOf('.ci/run'), /^npm test$/m);
});
