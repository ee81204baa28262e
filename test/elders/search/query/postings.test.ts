import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SearchIndex } from '../../../../src/elders/search/full-text/search-index.ts';
import { Postings } from '../../../../src/elders/search/query/postings.ts';

/** An index with one passage for each text, and how often its lists of passages were read. */
function indexed(texts: readonly string[]) {
  const index = SearchIndex.open(':memory:');
  const statement = index.statement.bind(index);
  let reads = 0;
  index.statement = (sql) => {
    if (sql.includes('json_group_array')) reads += 1;
    return statement(sql);
  };
  let number = 0;
  const add = (more: readonly string[]) =>
    index.batch(() => {
      for (const text of more) {
        number += 1;
        const chunk = { startLine: 1, endLine: 1, headingPath: [], innerHeadings: [], text };
        index.put({ key: String(number), path: `${number}.md`, title: '', chunks: [chunk] });
      }
    });
  add(texts);
  return { index, add, reads: () => reads };
}

const many = (count: number, text: string) => Array.from({ length: count }, () => text);

test('a list is read once until the index changes, and then holds what is new', (t) => {
  const { index, add, reads } = indexed(['red apple', 'green apple', 'red brick']);
  t.after(() => index.close());
  const postings = new Postings(index);
  postings.refresh();
  assert.deepEqual([...postings.of('apple').ids], [1, 2]);
  assert.equal(postings.frequency('plum'), 0);
  const before = reads();
  postings.refresh();
  assert.equal(postings.of('apple').frequency + postings.frequency('plum'), 2);
  assert.equal(reads(), before);
  add(['yellow plum', 'red apple']);
  postings.refresh();
  assert.deepEqual([...postings.of('apple').ids], [1, 2, 5]);
  assert.equal(postings.frequency('plum'), 1);
  index.remove('1');
  postings.refresh();
  assert.deepEqual([...postings.of('apple').ids], [2, 5]);
});

test('how common a term is grows with the index, and is looked at again after much growth', (t) => {
  const { index, add, reads } = indexed(many(1_000, 'common word'));
  t.after(() => index.close());
  const postings = new Postings(index);
  postings.refresh();
  assert.equal(postings.frequency('common'), 1_000);
  add(many(40, 'another word'));
  postings.refresh();
  const before = reads();
  assert.equal(postings.frequency('common'), 1_040, 'not looked at: taken to have grown as well');
  assert.equal(reads(), before);
  add(many(1_000, 'another word'));
  postings.refresh();
  // Of the first passages all hold it, which is all that a look at them tells.
  assert.equal(postings.frequency('common'), 2_040);
  assert.equal(postings.of('common').ids.length, 1_000);
  assert.equal(postings.frequency('common'), 1_000);
  assert.ok(reads() > before);
});
