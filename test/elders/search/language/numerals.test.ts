import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberIn, numeralOf } from '../../../../src/elders/search/language/numerals.ts';

test('numbers are the same in digits and in ideographs, where they count something', () => {
  for (const [numeral, number] of [
    ['九十', '90'],
    ['三千二百十五', '3215'],
    ['二〇二六', '2026'],
    ['十', '10'],
    ['百一', '101'],
    ['七', '7'],
  ] as const) {
    assert.equal(numberIn(`${numeral}年`), number);
    if (!numeral.includes('〇')) assert.equal(numeralOf(number), numeral);
  }
  for (const word of ['一般', '三者', '十分', '一番', '障害', ''])
    assert.equal(numberIn(word), undefined, word);
  for (const text of ['0', '12345', 'x1', '']) assert.equal(numeralOf(text), undefined, text);
});
