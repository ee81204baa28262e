import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkTerms } from '../../../../src/elders/search/full-text/chunk-terms.ts';

function terms(head: string, text: string): string[] {
  return chunkTerms(head, text, () => {}).split(' ');
}

test('each term stands once; those above the passage and repeated ones are marked besides', () => {
  const found = terms('Retry policy', 'retry once, retry twice, retry again; a delay');
  assert.deepEqual(found.filter((term) => term.includes('retry')).sort(), ['^retry', 'retry', '~retry']);
  assert.deepEqual(
    found.filter((term) => term.includes('delay')),
    ['delay'],
  );
  assert.deepEqual(found.filter((term) => term.endsWith('policy')).sort(), ['^policy', 'policy']);
  assert.equal(new Set(found).size, found.length);
  assert.ok(!found.includes('a') && !found.includes('=ja'));
});

test('a Japanese passage says that it is one, and a word of two characters is counted once a time', () => {
  const twice = terms('', '障害と障害');
  assert.ok(twice.includes('=ja') && twice.includes('障害') && !twice.includes('~障害'));
  assert.ok(terms('', '障害、障害、障害').includes('~障害'));
});

test('words that a query may misspell are told', () => {
  const words: string[] = [];
  chunkTerms('Heading', 'exponential x1 サーバー 障害', (word) => words.push(word));
  assert.deepEqual(words, ['exponential', 'サーバ']);
});
