import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parseSync, Visitor } from 'oxc-parser';

const root = resolve(import.meta.dirname, '../..');

/** Lists what a file contains that the house does not want. */
function offences(path: string, text: string): string[] {
  const found: string[] = [];
  const add = (node: { start: number }, what: string) => {
    found.push(`${path}:${text.slice(0, node.start).split('\n').length} ${what}`);
  };
  new Visitor({
    TSAnyKeyword: (node) => add(node, 'any'),
    TSEnumDeclaration: (node) => add(node, 'enum'),
    TSModuleDeclaration: (node) => add(node, 'namespace'),
    TSParameterProperty: (node) => add(node, 'parameter property'),
    ExportAllDeclaration: (node) => add(node, 'barrel'),
    MemberExpression: (node) => {
      const object = node.object.type === 'Identifier' ? node.object.name : '';
      const property = node.property.type === 'Identifier' ? node.property.name : '';
      if (property === 'only' && /^(test|it|describe|suite)$/.test(object)) add(node, 'only');
    },
  }).visit(parseSync(path, text).program);
  return found;
}

test('no any, enum, namespace, parameter property, barrel or focused test stands in the source', () => {
  const files = globSync('{src,test,scripts,bench}/**/*.ts', { cwd: root });
  assert.ok(files.length > 10);
  const found = files.flatMap((file) => offences(file, readFileSync(join(root, file), 'utf8')));
  assert.deepEqual(found, []);
});

test('each of them is caught where it is planted', () => {
  const planted = {
    any: 'const a: any = 1;',
    enum: 'enum A { B }',
    namespace: 'namespace A { export const b = 1; }',
    'parameter property': 'class A { constructor(private b: number) {} }',
    barrel: "export * from './a.ts';",
    only: "import { test } from 'node:test'; test.only('a', () => {});",
  };
  for (const [what, text] of Object.entries(planted)) {
    assert.deepEqual(offences('planted.ts', text), [`planted.ts:1 ${what}`]);
  }
});

test('no file of the source is named after nothing in particular', () => {
  const vague = /(^|\/)(utils?|helpers?|types|misc|common|index)(\/|\.ts$)/;
  assert.deepEqual(
    globSync('{src,test,scripts,bench}/**/*.ts', { cwd: root }).filter((file) => vague.test(file)),
    [],
  );
});
