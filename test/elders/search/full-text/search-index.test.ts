import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { chunkMarkdown } from '../../../../src/elders/search/chunks/markdown.ts';
import { SearchIndex } from '../../../../src/elders/search/full-text/search-index.ts';
import { Searcher } from '../../../../src/elders/search/query/searcher.ts';

function file(): string {
  return join(mkdtempSync(join(tmpdir(), 'search-')), 'index', 'search.db');
}

function open(t: TestContext, path: string): SearchIndex {
  const index = SearchIndex.open(path);
  t.after(() => {
    if (index.database.isOpen) index.close();
  });
  return index;
}

function put(index: SearchIndex, key: string, text: string, digest = ''): void {
  index.put({ key, path: `${key}.md`, title: key, digest, chunks: chunkMarkdown(text).chunks });
}

function paths(index: SearchIndex, query: string): string[] {
  return new Searcher(index).search(query).results.map(({ path }) => path);
}

test('what was put is found after the file is opened again, and nothing is rebuilt', (t) => {
  const path = file();
  const first = open(t, path);
  assert.equal(first.rebuilt, 'missing');
  put(first, 'one', '# 障害対応\n\n障害が起きたら記録する。', 'd1');
  first.close();
  const second = open(t, path);
  assert.equal(second.rebuilt, undefined);
  assert.deepEqual(second.size(), { documents: 1, chunks: 1 });
  assert.equal(second.digest('one'), 'd1');
  assert.deepEqual([...second.keys()], [{ key: 'one', digest: 'd1' }]);
  assert.deepEqual(paths(second, '障害'), ['one.md']);
});

test('a document that is put again replaces the first, and a removed one is gone', (t) => {
  const index = open(t, ':memory:');
  put(index, 'one', 'The old passage speaks of kangaroos.');
  put(index, 'one', 'The new passage speaks of wombats.');
  assert.deepEqual(paths(index, 'kangaroos'), []);
  assert.deepEqual(paths(index, 'wombats'), ['one.md']);
  assert.equal(index.remove('one'), true);
  assert.equal(index.remove('one'), false);
  assert.deepEqual(paths(index, 'wombats'), []);
  assert.deepEqual(index.size(), { documents: 0, chunks: 0 });
  index.verify();
});

test('a batch that throws leaves nothing behind', (t) => {
  const index = open(t, ':memory:');
  assert.throws(
    () =>
      index.batch(() => {
        put(index, 'one', 'kangaroos');
        throw new Error('stop');
      }),
    /stop/,
  );
  assert.deepEqual(index.size(), { documents: 0, chunks: 0 });
  put(index, 'two', 'kangaroos');
  assert.deepEqual(paths(index, 'kangaroo'), ['two.md']);
});

test('an index of another version is made anew', (t) => {
  const path = file();
  const first = open(t, path);
  put(first, 'one', 'kangaroos');
  first.close();
  const database = new DatabaseSync(path);
  database.exec("UPDATE meta SET value = 'older' WHERE name = 'version'");
  database.close();
  const second = open(t, path);
  assert.equal(second.rebuilt, 'version');
  assert.deepEqual(second.size(), { documents: 0, chunks: 0 });
  put(second, 'one', 'kangaroos');
  assert.deepEqual(paths(second, 'kangaroo'), ['one.md']);
});

test('a damaged file is made anew; an error that is no damage is not taken for it', (t) => {
  const path = file();
  const first = open(t, path);
  put(first, 'one', 'kangaroos');
  first.close();
  writeFileSync(path, 'this is no database, and it is longer than the header of one'.repeat(100));
  const second = open(t, path);
  assert.equal(second.rebuilt, 'corrupt');
  put(second, 'one', 'kangaroos');
  assert.deepEqual(paths(second, 'kangaroo'), ['one.md']);
  assert.throws(() => SearchIndex.open(join(path, 'below-a-file', 'search.db')));
});

test('a reader of its own sees what another connection has committed', (t) => {
  const path = file();
  const writer = open(t, path);
  put(writer, 'one', 'kangaroos');
  const reader = open(t, path);
  const searcher = new Searcher(reader);
  writer.batch(() => {
    put(writer, 'two', 'kangaroos and wombats');
    assert.deepEqual(
      searcher.search('wombats').results.map(({ path: found }) => found),
      [],
    );
  });
  assert.deepEqual(
    searcher.search('wombats').results.map(({ path: found }) => found),
    ['two.md'],
  );
});
