import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SearchIndex } from '../../../../src/elders/search/full-text/search-index.ts';
import { Searcher } from '../../../../src/elders/search/query/searcher.ts';

/** An index of passages that are given as `heading: text`. */
function searcher(t: TestContext, passages: readonly string[]): Searcher {
  const index = SearchIndex.open(':memory:');
  t.after(() => index.close());
  index.batch(() => {
    passages.forEach((passage, at) => {
      const [heading = '', text = ''] = passage.split(': ');
      const chunk = { startLine: 1, endLine: 1, headingPath: [heading], innerHeadings: [], text };
      index.put({ key: `${at}`, path: `${at}`, title: 'x', chunks: [chunk] });
    });
  });
  return new Searcher(index);
}

function best(from: Searcher, query: string): string | undefined {
  return from.search(query).results[0]?.text;
}

test('where every word is common, the passage that holds all of them, that repeats one or is headed by it is found', (t) => {
  // More than are read of a term.
  const common = Array.from({ length: 12_000 }, (_, at) =>
    at % 2 === 0 ? `n: alpha ${at}` : `n: beta ${at}`,
  );
  const from = searcher(t, [...common, 'n: alpha beta', 'n: alpha alpha alpha', 'beta: beta as headed']);
  assert.equal(best(from, 'alpha beta'), 'alpha beta');
  assert.equal(best(from, 'alpha'), 'alpha alpha alpha');
  assert.equal(best(from, 'beta'), 'beta as headed');
});

test('among many English texts a Japanese word is not worth more for being rare', (t) => {
  const filler = Array.from({ length: 80 }, (_, at) => `n: the task ${at} runs and ends with a result`);
  const from = searcher(t, [
    ...filler,
    'n: タスクの説明',
    'n: 別の話',
    'n: Of the tasks that are ready, the one with the highest priority runs first.',
  ]);
  assert.match(best(from, 'タスクの優先順位') ?? '', /^Of the tasks/);
});

test('a compound is found by its parts in the other language, all of them before one', (t) => {
  const from = searcher(t, [
    'n: The emergency contact is on the door.',
    'n: An emergency makes the halt of all commands possible.',
    'n: The halt of the train.',
    ...Array.from({ length: 20 }, (_, at) => `n: 無関係な文 ${at}`),
  ]);
  assert.match(best(from, '緊急停止') ?? '', /^An emergency makes the halt/);
});

test('words that mean the same are found without a dictionary of the project', (t) => {
  const from = searcher(t, ['n: 上長へ報告する。', 'n: 天気の話。', 'n: It takes too much room.']);
  assert.equal(best(from, 'ボス'), '上長へ報告する。');
});

test('a word between underscores is found without them', (t) => {
  const from = searcher(t, ['n: _Type:_ what is given', 'n: something else']);
  assert.equal(best(from, 'type'), '_Type:_ what is given');
});

test('ways to write a word are the same word', (t) => {
  const from = searcher(t, [
    'n: 予約の取消ができます。',
    'n: インタフェースの定義',
    'n: 天気の話',
    'n: 九十日の保管',
  ]);
  assert.equal(best(from, '取り消し'), '予約の取消ができます。');
  assert.equal(best(from, '90日'), '九十日の保管');
  assert.equal(best(from, 'インターフェイス'), 'インタフェースの定義');
});

test('a word is found where it is written together, apart or as the beginning of an identifier', (t) => {
  const from = searcher(t, [
    'a: parseConfigFile reads the settings',
    'b: every worktree has a branch',
    'c: the config of a file is read',
    'd: back pressure holds the sender',
  ]);
  assert.equal(best(from, 'parseconfig'), 'parseConfigFile reads the settings');
  assert.equal(best(from, 'work tree'), 'every worktree has a branch');
  assert.equal(best(from, 'configoffile'), undefined);
  assert.ok(from.search('fileconfig').results.some(({ text }) => text === 'the config of a file is read'));
  assert.equal(best(from, 'backpressure'), 'back pressure holds the sender');
});

test('a word of the question is worth more than a rarer one that means the same', (t) => {
  const english = Array.from({ length: 60 }, (_, at) => `n: words without any meaning ${at}`);
  const from = searcher(t, [
    ...english,
    'When the disk is in trouble: the tree waits',
    '手順: 障害のときは当番に電話する',
    '記録: 障害の記録を残す',
  ]);
  const [first, second] = from.search('障害').results;
  assert.ok(first?.text.includes('障害') && second?.text.includes('障害'), `${first?.text} ${second?.text}`);
});

test('a word is found by another for the same and by an irregular form, also in the other language', (t) => {
  const from = searcher(t, [
    'a: the proposal was approved by everybody',
    'b: she chose the cheaper offer',
    'c: 荷物を倉庫に届けた',
    'd: 廃棄した書類の一覧',
  ]);
  assert.equal(best(from, '承認'), 'the proposal was approved by everybody');
  assert.equal(best(from, 'choosing'), 'she chose the cheaper offer');
  assert.equal(best(from, 'warehouse'), '荷物を倉庫に届けた');
  assert.equal(best(from, '捨てた'), '廃棄した書類の一覧');
});

test('a longer word for the same is not worth more than the word of the question', (t) => {
  const from = searcher(t, [
    ...Array.from({ length: 20 }, (_, at) => `n: words without any meaning ${at}`),
    '一: 依存関係 依存関係 の図',
    '二: 設定への依存 があり、分散 して置く',
    '三: 依存関係 と分散 の図',
  ]);
  assert.equal(best(from, '依存 分散')?.includes('分散'), true);
  assert.equal(from.search('依存', { explain: true }).results[0]?.explanation?.units[0]?.origin, 'query');
});

test('of passages that hold the same words, that in which they follow each other as asked comes first', (t) => {
  const from = searcher(t, [
    'n: the error of a hook has a custom text, so pass on whichever code there may be',
    'n: here the hook may pass a custom error code on to whichever user there may be now',
    'n: the code that a hook has may be passed, and there is a custom page for an error',
  ]);
  assert.match(best(from, 'pass a custom error code') ?? '', /pass a custom error code/u);
  const japanese = searcher(t, [
    '一: 期間を決めた後の観察と、戦略のための記録を残す',
    '二: 戦略を決め、次に観察期間を置いて記録を残すこと',
  ]);
  assert.match(best(japanese, '観察の期間') ?? '', /観察期間/u);
});
