import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandInput } from '../../../src/cli/command-spec.ts';
import { changesOf, listOf } from '../../../src/cli/knowledge/entry-options.ts';

const noLinks = { directives: [], tasks: [], incidents: [] };

function changes(options: Readonly<Record<string, string>>) {
  return changesOf({ text: (name: string) => options[name] } as CommandInput, noLinks);
}

test('a body given as an option ends with a newline, as its file will', () => {
  assert.deepEqual(changes({ body: '一行' }), { body: '一行\n' });
  assert.deepEqual(changes({ body: 'a line\n' }), { body: 'a line\n' });
  assert.deepEqual(changes({ body: '' }), { body: '' });
});

test('words of a list are divided by the commas of both languages', () => {
  assert.deepEqual(listOf('redis、障害, 監視，ログ,'), ['redis', '障害', '監視', 'ログ']);
});
