import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { maxDocumentLength, type Problem, parseDocument, readDocument } from '../../src/protocol/document.ts';

const schema = z.strictObject({
  name: z.string().min(1),
  size: z.int().min(1).max(10).default(5),
  kind: z.enum(['small', 'large']).default('small'),
  inner: z.strictObject({ flag: z.boolean().optional(), list: z.array(z.string()).optional() }).optional(),
  either: z.union([z.string(), z.array(z.string())]).optional(),
  address: z.url({ protocol: /^rediss$/ }).optional(),
  table: z.record(z.string().regex(/^[A-Z]+$/, 'expected capitals'), z.string()).optional(),
});

function problemsOf(text: string): readonly Problem[] {
  const read = readDocument(text, schema);
  assert.equal(read.ok, false, 'a problem was expected');
  return read.ok ? [] : read.problems;
}

function check(text: string, expected: readonly (readonly [number, number, string, string])[]): void {
  const found = problemsOf(text).map(({ line, column, code, message }) => [line, column, code, message]);
  assert.deepEqual(found, expected);
}

test('reads YAML and JSON to the same value, with defaults', () => {
  const yaml = readDocument('name: a\ninner:\n  list: [x, y]\n', schema);
  const json = readDocument('{"name": "a", "inner": {"list": ["x", "y"]}}', schema);
  assert.ok(yaml.ok && json.ok);
  assert.deepEqual(yaml.value, { name: 'a', size: 5, kind: 'small', inner: { list: ['x', 'y'] } });
  assert.deepEqual(json.value, yaml.value);
});

test('an unknown key is placed at the key and suggests the nearest', () => {
  check('name: a\nsise: 3\n', [[2, 1, 'unknown_key', 'unknown key "sise"; did you mean "size"?']]);
  check('name: a\ninner:\n  Flag: true\n', [
    [3, 3, 'unknown_key', 'unknown key "Flag"; did you mean "flag"?'],
  ]);
  check('{"name": "a",\n  "zzz": 1}', [[2, 3, 'unknown_key', 'unknown key "zzz"']]);
  check('name: a\n"__proto__": 1\n', [[2, 1, 'unknown_key', 'unknown key "__proto__"']]);
});

test('a missing key is placed at the mapping that lacks it', () => {
  check('\n\nsize: 3\n', [[3, 1, 'missing', '"name" is missing']]);
});

test('a wrong value is placed at the value', () => {
  check('name: a\nsize: big\n', [[2, 7, 'wrong_type', 'expected a number, got "big"']]);
  check('name: 12\n', [[1, 7, 'wrong_type', 'expected text, got the number 12; put it in quotes']]);
  check('name: a\ninner:\n  list: [x, {a: 1}]\n', [[3, 13, 'wrong_type', 'expected text, got a mapping']]);
  check('name: a\ninner: 5\n', [[2, 8, 'wrong_type', 'expected a mapping, got the number 5']]);
  check('name: a\neither: {b: 1}\n', [[2, 9, 'wrong_type', 'expected text or a list, got a mapping']]);
  check('name: a\neither: [x, 2]\n', [
    [2, 13, 'wrong_type', 'expected text, got the number 2; put it in quotes'],
  ]);
  check('- name\n', [[1, 1, 'wrong_type', 'expected a mapping, got a list']]);
});

test('numbers, choices, addresses and keys out of their range are told in words', () => {
  check('name: ""\n', [[1, 7, 'out_of_range', 'this may not be empty']]);
  check('name: a\nsize: 11\n', [[2, 7, 'out_of_range', 'expected a number of at most 10']]);
  check('name: a\nkind: smal\n', [
    [2, 7, 'wrong_value', 'expected one of small, large; got "smal"; did you mean "small"?'],
  ]);
  check('name: a\naddress: redis://h\n', [
    [2, 10, 'wrong_value', 'expected an address that starts with rediss://'],
  ]);
  check('name: a\ntable: {ok: x}\n', [[2, 9, 'wrong_value', 'the key "ok" is not valid: expected capitals']]);
});

test('several problems come in the order of the text', () => {
  const lines = problemsOf('nam: a\nsize: 0\nkind: x\n').map(({ line }) => line);
  assert.deepEqual(lines, [1, 1, 2, 3]);
});

test('a problem behind an alias is placed where the value stands', () => {
  check('name: a\ninner: &x\n  flag: 3\neither: b\n', [
    [3, 9, 'wrong_type', 'expected true or false, got the number 3'],
  ]);
  check('name: &x 5\neither: *x\n', [
    [1, 10, 'wrong_type', 'expected text, got the number 5; put it in quotes'],
    [2, 9, 'wrong_type', 'expected text or a list, got the number 5'],
  ]);
});

test('faults of the syntax are placed', () => {
  check('name: a\nname: b\n', [[2, 1, 'duplicate_key', 'this key stands in this mapping twice']]);
  check('inner:\n\tflag: true\n', [[2, 1, 'syntax', 'a tab is used for indentation; use spaces']]);
  check('---\nname: a\n---\nname: b\n', [
    [3, 1, 'syntax', 'a second document starts here; only one is allowed'],
  ]);
  check('name: *nobody\n', [[1, 7, 'syntax', 'no anchor "nobody" stands before this alias']]);
  check('name: !secret x\n', [[1, 7, 'syntax', 'unresolved tag: !secret']]);
  assert.equal(problemsOf('{"name": "a"')[0]?.code, 'syntax');
  assert.equal(problemsOf('name: "a')[0]?.line, 1);
});

test('an empty document is nothing', () => {
  const empty = parseDocument('');
  assert.ok(empty.ok);
  assert.equal(empty.raw, null);
  check('# only a comment\n', [[1, 1, 'wrong_type', 'expected a mapping, got nothing']]);
});

test('aliases that multiply, endless nesting and huge documents are refused', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (const [one, two] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg']) {
    bomb.push(`${two}: &${two} [${Array(9).fill(`*${one}`).join(',')}]`);
  }
  check(`${bomb.join('\n')}\n`, [[1, 1, 'syntax', 'aliases are used too often']]);
  for (const nested of ['['.repeat(20_000), '- '.repeat(20_000), '{"a":'.repeat(20_000)]) {
    const [problem] = problemsOf(nested);
    assert.equal(problem?.message, 'the document is nested too deeply');
  }
  assert.equal(problemsOf(' '.repeat(maxDocumentLength + 1))[0]?.code, 'too_large');
});

test('columns count characters, also of Japanese text', () => {
  check('name: 検証\nsize: 大\n', [[2, 7, 'wrong_type', 'expected a number, got "大"']]);
  check('{"name": "検証", "size": "x"}', [[1, 24, 'wrong_type', 'expected a number, got "x"']]);
});
