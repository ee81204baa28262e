import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { parseBoundedJson } from '../../src/protocol/bounded-json.ts';

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

test('JSON up to the depth is parsed, brackets in strings do not count', () => {
  assert.deepEqual(parseBoundedJson('{"a":[1,{"b":null}]}', 3), { a: [1, { b: null }] });
  const text = JSON.stringify({ text: `${'[{'.repeat(100)}"\\` });
  assert.deepEqual(parseBoundedJson(text, 1), JSON.parse(text));
  assert.deepEqual(parseBoundedJson('[[],[],[],[]]', 2), [[], [], [], []]);
});

test('what is deeper is refused, however deep it is', () => {
  for (const depth of [4, 1_000, 1_000_000]) {
    assert.throws(() => parseBoundedJson(nested(depth), 3), { code: 'malformed', message: /deeper than 3/ });
    assert.throws(() => parseBoundedJson('{"a":'.repeat(depth), 3), { code: 'malformed' });
  }
});

test('what is no JSON is refused', () => {
  for (const text of ['', '{', ']', '{"a":}', 'x']) {
    assert.throws(() => parseBoundedJson(text, 3), { code: 'malformed', message: /not JSON/ });
  }
});

test('the guard matters: what walks through a deep value runs out of stack', () => {
  const deep = JSON.parse(nested(200_000));
  assert.throws(() => z.json().parse(deep), RangeError);
});
