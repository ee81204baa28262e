import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleContext, estimateTokens } from '../../../src/elders/rag/retrieval/context.ts';
import { fuseByRank } from '../../../src/elders/rag/retrieval/fuse.ts';
import type { RagHit } from '../../../src/protocol/rag.ts';

function hit(path: string, startLine: number, text: string): RagHit {
  return {
    ...{
      path,
      relativePath: path,
      title: path,
      headings: [],
      startLine,
      text,
      snippet: text,
      highlights: [],
    },
    ...{
      endLine: startLine + text.split('\n').length - 1,
      score: 1,
      language: 'md',
      commit: null,
      modified: null,
      blob: 'b',
    },
    ranks: { lexical: 1, vector: null },
  };
}

test('a context keeps to its budget, holds nothing twice and joins what overlaps', () => {
  const hits = [
    hit('a', 10, 'one\ntwo\nthree'),
    hit('copy', 1, 'one\ntwo\nthree'),
    hit('a', 12, 'three\nfour'),
    hit('b', 1, 'word '.repeat(400)),
    hit('c', 1, 'small'),
  ];
  const { context, tokens, citations } = assembleContext(hits, 100);
  assert.deepEqual(
    citations.map(({ path, startLine, endLine }) => [path, startLine, endLine]),
    [
      ['a', 10, 13],
      ['c', 1, 1],
    ],
  );
  assert.equal(context.match(/three/gu)?.length, 1);
  assert.ok(tokens <= 100 && tokens === estimateTokens(context));
});

test('of a best passage that is too long the beginning is given', () => {
  const { citations, tokens } = assembleContext([hit('a', 5, 'line of words\n'.repeat(200))], 80);
  assert.equal(citations[0]?.startLine, 5);
  assert.ok((citations[0]?.endLine ?? 0) < 50 && tokens <= 80);
});

test('fusion by rank prefers what both lists have', () => {
  const fused = fuseByRank(
    [
      ['a', 'b', 'c'],
      ['d', 'b'],
    ],
    String,
  );
  assert.deepEqual(
    fused.map(({ item }) => item),
    ['b', 'a', 'd', 'c'],
  );
  assert.deepEqual(fused[0]?.ranks, [2, 2]);
});

test('passages of one long line are given apart, and of one that is too long its beginning', () => {
  const hits = [hit('a', 3, 'first half'), hit('a', 3, 'second half'), hit('a', 3, 'half')];
  const { context, citations } = assembleContext(hits, 100);
  assert.match(context, /first half[\s\S]*second half/);
  assert.deepEqual(
    citations.map(({ startLine, endLine }) => [startLine, endLine]),
    [
      [3, 3],
      [3, 3],
    ],
  );
  const long = assembleContext([hit('a', 3, '長い文'.repeat(900))], 80);
  assert.ok(long.tokens <= 80 && long.context.includes('長い文長い文'), long.context);
});
