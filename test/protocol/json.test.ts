import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { json } from '../../src/protocol/json.ts';

test('what JSON can say is taken as it is, and nothing else', () => {
  for (const value of [null, true, 0, -1.5, '', [], {}, { a: [1, { b: null }] }, Object.create(null)]) {
    assert.equal(json.safeParse(value).success, true, JSON.stringify(value));
    assert.equal(z.json().safeParse(value).success, true);
  }
  const circle: unknown[] = [];
  circle.push(circle);
  const odd = [
    undefined,
    Number.NaN,
    Infinity,
    1n,
    () => 1,
    Symbol('x'),
    new Date(0),
    new Map(),
    { a: undefined },
  ];
  for (const value of [...odd, [() => 1], circle, JSON.parse('{"__proto__":1}')]) {
    assert.equal(json.safeParse(value).success, false);
  }
});
