import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { chunkMarkdown } from '../../../../src/elders/search/chunks/markdown.ts';
import type { SearchDocument } from '../../../../src/elders/search/full-text/document.ts';
import { SearchIndex } from '../../../../src/elders/search/full-text/search-index.ts';
import { parseConcepts } from '../../../../src/elders/search/language/concepts.ts';
import { Searcher, type SearchOptions } from '../../../../src/elders/search/query/searcher.ts';

const texts: Readonly<Record<string, string>> = {
  'ops/incident.md':
    '# 障害対応手順\n\n自動監視が異常を検知したら、当番が記録を残し、復旧の見込みを報告する。\n\n## 連絡先\n\n夜間は当番に電話する。',
  'ops/audit.md': '# 監査の記録\n\n監査ログは九十日保存し、変更の履歴とともに確認する。',
  'guide/retry.md':
    '# Retrying requests\n\nA failed request is retried three times with exponential backoff and jitter.\n\n```js\nawait client.sendRequest({ maxRetryCount: 3 });\n```',
  'guide/server.md':
    '# Server settings\n\nThe server listens on port 3000. Validated settings are kept in memory.',
  'ja/server.md': '# サーバー設定\n\nサーバーは三千番のポートで待ち受ける。オーケストレーターが起動する。',
};

function searcher(t: TestContext, dictionary = '', more: readonly SearchDocument[] = []): Searcher {
  const index = SearchIndex.open(':memory:');
  t.after(() => index.close());
  for (const [path, text] of Object.entries(texts)) {
    const { title, chunks } = chunkMarkdown(text);
    const folder = path.slice(0, path.indexOf('/'));
    index.put({
      key: path,
      path,
      title: title ?? path,
      tags: [folder],
      attributes: { kind: folder },
      chunks,
    });
  }
  for (const document of more) index.put(document);
  return new Searcher(index, parseConcepts(dictionary));
}

function paths(from: Searcher, query: string, options: SearchOptions = {}): string[] {
  return from.search(query, options).results.map(({ path }) => path);
}

test('two-character words are found inside longer runs', (t) => {
  const from = searcher(t);
  for (const [word, path] of [
    ['障害', 'ops/incident.md'],
    ['監査', 'ops/audit.md'],
    ['監視', 'ops/incident.md'],
    ['復旧', 'ops/incident.md'],
    ['待ち', 'ja/server.md'],
  ] as const) {
    assert.equal(paths(from, word)[0], path, word);
  }
});

test('a question is answered as its key words are', (t) => {
  const from = searcher(t);
  assert.equal(paths(from, '監査ログは何日保存しますか？教えてください')[0], 'ops/audit.md');
  assert.equal(paths(from, 'How often is a failed request retried?')[0], 'guide/retry.md');
});

test('identifiers are found whole and in parts, stems across endings', (t) => {
  const from = searcher(t);
  for (const query of ['maxRetryCount', 'max retry count', 'sendRequest', 'retries', 'backoffs']) {
    assert.equal(paths(from, query)[0], 'guide/retry.md', query);
  }
  assert.equal(paths(from, 'validate settings')[0], 'guide/server.md');
});

test('a phrase must stand as written', (t) => {
  const from = searcher(t);
  assert.deepEqual(paths(from, '"exponential backoff"'), ['guide/retry.md']);
  assert.deepEqual(paths(from, '"backoff exponential"'), []);
  assert.deepEqual(paths(from, '"変更の履歴"'), ['ops/audit.md']);
  assert.deepEqual(paths(from, '"the port"'), []);
});

test('fields, exclusions and filters narrow', (t) => {
  const from = searcher(t);
  assert.deepEqual(paths(from, 'title:障害対応'), ['ops/incident.md']);
  assert.deepEqual(paths(from, 'path:guide/re'), ['guide/retry.md']);
  assert.deepEqual(new Set(paths(from, 'tag:ops')), new Set(['ops/incident.md', 'ops/audit.md']));
  assert.deepEqual(paths(from, '記録 tag:ops -監査'), ['ops/incident.md']);
  assert.deepEqual(paths(from, 'server -path:ja', { filters: { attributes: { kind: ['guide', 'ja'] } } }), [
    'guide/server.md',
  ]);
  assert.deepEqual(paths(from, 'server', { filters: { pathPrefix: 'ja/' } }), ['ja/server.md']);
  assert.deepEqual(paths(from, 'server', { filters: { tags: ['nowhere'] } }), []);
});

test('a prefix finds the words that begin so', (t) => {
  const from = searcher(t);
  assert.deepEqual(paths(from, 'exponen*'), ['guide/retry.md']);
  assert.deepEqual(paths(from, 'valida*'), ['guide/server.md']);
});

test('a misspelt word finds the right one', (t) => {
  const from = searcher(t);
  assert.equal(paths(from, 'exponetial')[0], 'guide/retry.md');
  assert.equal(paths(from, 'オーケストレター')[0], 'ja/server.md');
});

test('a question in English finds a Japanese text, by translation and by sound', (t) => {
  const from = searcher(t);
  assert.equal(paths(from, 'audit log retention')[0], 'ops/audit.md');
  assert.equal(paths(from, 'orchestrator')[0], 'ja/server.md');
  assert.equal(paths(from, '再試行')[0], 'guide/retry.md');
});

test('a dictionary adds words of the project', (t) => {
  assert.deepEqual(paths(searcher(t), 'ポンチ絵'), []);
  assert.equal(
    paths(searcher(t, 'ポンチ絵 = incident response\nポンチ絵, 当番 ='), 'ポンチ絵')[0],
    'ops/incident.md',
  );
});

test('a result cites lines, shows its best stretch with highlights, and explains its score', (t) => {
  const [best] = searcher(t).search('夜間の電話', { explain: true }).results;
  assert.ok(best?.explanation);
  assert.equal(best.path, 'ops/incident.md');
  const line = texts['ops/incident.md']?.split('\n').indexOf('夜間は当番に電話する。') ?? 0;
  assert.ok(best.startLine <= line + 1 && best.endLine >= line + 1);
  const marked = best.snippet.highlights.map(({ start, end }) => best.snippet.text.slice(start, end));
  assert.ok(marked.includes('夜間') && marked.includes('電話'), marked.join());
  const { document, neighbours, units, ...factors } = best.explanation;
  const product = Object.values(factors).reduce((one, other) => one * other, 1);
  assert.ok(Math.abs(product + document + neighbours - best.score) < 1e-9);
  assert.ok(Math.abs(units.reduce((sum, unit) => sum + unit.score, 0) - factors.terms) < 1e-9);
});

test('highlights stand in the text as written, not as normalized', (t) => {
  const text = '㈱のｻｰﾊﾞ（ＡＰＩ）';
  const chunks = [{ startLine: 7, endLine: 7, headingPath: [], innerHeadings: [], text }];
  const [best] = searcher(t, '', [{ key: 'w', path: 'w', title: 'w', chunks }]).search('api サーバ').results;
  assert.equal(best?.path, 'w');
  assert.deepEqual(
    best?.snippet.highlights.map(({ start, end }) => best.snippet.text.slice(start, end)),
    ['ｻｰﾊﾞ', 'ＡＰＩ'],
  );
  assert.equal(best?.snippet.startLine, 7);
});

test('copies of one text do not crowd out the rest', (t) => {
  const copies = Array.from({ length: 8 }, (_, at): SearchDocument => {
    const chunks = [{ startLine: 1, endLine: 1, headingPath: [], innerHeadings: [], text: '当番 当番 当番' }];
    return { key: `copy${at}`, path: `copy${at}`, title: 'x', chunks };
  });
  const found = paths(searcher(t, '', copies), '当番', { limit: 5 });
  assert.equal(found.filter((path) => path.startsWith('copy')).length, 4);
  assert.ok(found.includes('ops/incident.md'));
});

test('a prior decides between equals', (t) => {
  const entry = (key: string, prior: number): SearchDocument => {
    const chunks = [
      { startLine: 1, endLine: 1, headingPath: [], innerHeadings: [], text: `カンガルー飼育 ${key}` },
    ];
    return { key, path: key, title: key, prior, chunks };
  };
  const found = paths(searcher(t, '', [entry('old', 0.5), entry('new', 1)]), 'カンガルー');
  assert.deepEqual(found, ['new', 'old']);
});

test('odd queries find nothing or something, but never throw', (t) => {
  const from = searcher(t);
  const odd = [
    '',
    ' ',
    '?',
    '"',
    '""',
    '-',
    '*',
    'a*',
    'title:',
    'tag:""',
    '“”',
    '()',
    "'; DROP TABLE",
    '𠮷',
    '教えて',
  ];
  for (const query of [
    ...odd,
    'AND OR NOT',
    'NEAR(a b)',
    '^a',
    '\u0000',
    '🧙',
    'x'.repeat(5_000),
    '障'.repeat(2_000),
  ]) {
    assert.ok(Array.isArray(from.search(query).results), query.slice(0, 20));
  }
  assert.deepEqual(paths(from, ''), []);
});
