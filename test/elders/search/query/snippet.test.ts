import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkMarkdown } from '../../../../src/elders/search/chunks/markdown.ts';
import { SearchIndex } from '../../../../src/elders/search/full-text/search-index.ts';
import { Searcher, type SearchResult } from '../../../../src/elders/search/query/searcher.ts';

function found(text: string, query: string): SearchResult {
  const index = SearchIndex.open(':memory:');
  try {
    const { title, chunks } = chunkMarkdown(text);
    index.put({ key: 'a', path: 'a.md', title: title ?? 'a', chunks });
    const [best] = new Searcher(index).search(query).results;
    assert.ok(best !== undefined, query);
    return best;
  } finally {
    index.close();
  }
}

function marked({ snippet }: SearchResult): string[] {
  return snippet.highlights.map(({ start, end }) => snippet.text.slice(start, end));
}

test('a snippet shows the best place below the heading, which stands beside the result', () => {
  const result = found(
    '# Connection pools\n\nAn outage.\n\nThe pools ran dry, so connections waited.',
    'pool',
  );
  assert.ok(!result.snippet.text.includes('#'), result.snippet.text);
  assert.deepEqual(marked(result), ['pools']);
  assert.equal(result.snippet.startLine, 3);
});

test('what stands in the heading alone is shown with the heading', () => {
  const result = found('# 障害対応\n\n当番が記録を残す。', '障害');
  assert.equal(result.snippet.startLine, 1);
  assert.deepEqual(marked(result), ['障害']);
});

test('a number and its unit are found written together and apart', () => {
  assert.deepEqual(marked(found('# Limits\n\nAn answer takes 10ms at most.', '10 ms')), ['10ms']);
  assert.deepEqual(marked(found('# Limits\n\nAn answer takes 10 ms at most.', '10ms')), ['10', 'ms']);
});
