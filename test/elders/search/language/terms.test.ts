import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalize, normalizeWithMap } from '../../../../src/elders/search/language/normalize.ts';
import { soundOf } from '../../../../src/elders/search/language/sound.ts';
import { eachTerm, type TermKind } from '../../../../src/elders/search/language/terms.ts';

function terms(text: string, kind?: TermKind): string[] {
  const found: string[] = [];
  eachTerm(normalize(text), (term, is) => {
    if (kind === undefined || is === kind) found.push(term);
  });
  return found;
}

test('a run of ideographs gives its pairs, its words and its last character', () => {
  assert.deepEqual(terms('監視間隔', 'gram'), ['監視', '視間', '間隔', '隔']);
  assert.deepEqual(terms('監視間隔', 'word'), ['監視', '間隔']);
  assert.ok(terms('自動障害復旧', 'gram').includes('障害'));
});

test('scripts part runs, but the first kana stays with its ideograph', () => {
  assert.deepEqual(terms('止まる', 'gram'), ['止', '止ま', 'まる']);
  assert.ok(!terms('テスト監視', 'gram').includes('ト監'));
});

test('katakana stands whole and in pairs; the long mark at the end does not matter', () => {
  assert.ok(terms('エラーハンドリング', 'word').includes('エラーハンドリング'));
  assert.ok(terms('エラーハンドリング', 'word').includes('ハンドリング'));
  assert.deepEqual(terms('サーバー', 'word'), terms('サーバ', 'word'));
});

test('identifiers stand whole and in parts', () => {
  assert.deepEqual(terms('getEachMessage', 'word'), ['geteachmessage', 'get', 'each', 'message']);
  assert.deepEqual(terms('HTTPServer', 'word'), ['httpserver', 'http', 'server']);
  assert.deepEqual(terms('max_retry_count', 'word'), ['max_retry_count', 'max', 'retry', 'count']);
  assert.deepEqual(terms('docker-compose.test.yml', 'word'), [
    'docker-compose.test.yml',
    'docker',
    'compose',
    'test',
    'yml',
  ]);
  assert.ok(terms('written in C++ and C#.', 'word').includes('c++'));
  assert.ok(terms('written in C++ and C#.', 'word').includes('c#'));
});

test('English words have stems', () => {
  assert.deepEqual(terms('validated', 'stem'), ['valid']);
  assert.deepEqual(terms('validation', 'stem'), ['valid']);
});

test('full-width Latin and half-width katakana are folded, and the way back is kept', () => {
  assert.deepEqual(terms('ＡＢＣ', 'word'), ['abc']);
  assert.deepEqual(terms('ｻｰﾊﾞ', 'word'), ['サーバ']);
  const original = 'ｻｰﾊﾞの㈱ログ';
  const mapped = normalizeWithMap(original);
  assert.equal(mapped.text, 'サーバの(株)ログ');
  const at = mapped.text.indexOf('ログ');
  assert.equal(original.slice(mapped.original(at), mapped.original(at + 2)), 'ログ');
});

test('nothing in an odd text is fatal', () => {
  assert.deepEqual(terms(''), []);
  assert.deepEqual(terms('🧙‍♂️ — “” \u0000 ・ーー'), terms('🧙‍♂️ — “” \u0000 ・ーー'));
  assert.ok(terms('𠮷野家').length > 0);
  assert.deepEqual(terms('a'.repeat(10_000), 'word'), []);
});

test('loan words sound the same in both scripts', () => {
  for (const [english, katakana] of [
    ['orchestrator', 'オーケストレーター'],
    ['timeout', 'タイムアウト'],
    ['performance', 'パフォーマンス'],
    ['migration', 'マイグレーション'],
    ['framework', 'フレームワーク'],
  ] as const) {
    assert.equal(soundOf(english), soundOf(katakana), english);
  }
  assert.notEqual(soundOf('container'), soundOf('コンパイラ'));
});
