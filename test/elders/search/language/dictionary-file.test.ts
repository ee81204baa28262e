import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SearchIndex } from '../../../../src/elders/search/full-text/search-index.ts';
import { DictionaryFile } from '../../../../src/elders/search/language/dictionary-file.ts';
import { Searcher } from '../../../../src/elders/search/query/searcher.ts';
import { temporaryFolder } from '../../../cli/elders-command.ts';

test('words of a project are taken from its file, whichever side they stand on, and anew when it changes', (t) => {
  const path = join(temporaryFolder(t), 'words.txt');
  const index = SearchIndex.open(':memory:');
  t.after(() => index.close());
  const chunk = { startLine: 1, endLine: 1, headingPath: [], innerHeadings: [] };
  index.put({
    key: 'duty',
    path: 'duty',
    title: 'd',
    chunks: [{ ...chunk, text: 'Whoever has zorbduty is called.' }],
  });
  index.put({ key: 'order', path: 'order', title: 'o', chunks: [{ ...chunk, text: '受注の一覧を見る。' }] });
  const warnings: string[] = [];
  const dictionary = new DictionaryFile(path, (text) => warnings.push(text));
  const searcher = new Searcher(index);
  const found = (query: string) => {
    dictionary.keep(searcher);
    return searcher.search(query).results.map(({ key }) => key);
  };
  assert.deepEqual([found('ポンチ係'), warnings.length], [[], 1]);
  assert.deepEqual([found('ポンチ係'), warnings.length], [[], 1], 'warned of once');
  writeFileSync(path, '# ours\nポンチ係 = zorbduty\nsalesorder, 受注\n');
  assert.deepEqual([found('ポンチ係'), found('salesorder')], [['duty'], ['order']]);
  const [hit] = searcher.search('ポンチ係', { explain: true }).results;
  assert.match(JSON.stringify(hit?.explanation), /"dictionary"/);
  writeFileSync(path, 'nothing = of that\n');
  assert.deepEqual(found('ポンチ係'), []);
  rmSync(path);
  assert.deepEqual([found('salesorder'), warnings.length], [[], 2]);
});
