import assert from 'node:assert/strict';
import { test } from 'node:test';
import { score, terms } from '../../../../src/elders/knowledge/finders/lexical-score.ts';

const found = (query: string, text: string) => score(terms(query), '', text) > 0;

test('two-character words are found within longer runs', () => {
  for (const text of ['本番環境障害対応手順', 'API障害対応', 'Redisの障害', '障害', 'ＡＰＩ障害']) {
    assert.equal(found('障害', text), true, text);
  }
  assert.equal(found('障害', '傷害保険'), false);
});

test('scripts side by side are words of their own', () => {
  assert.deepEqual([...terms('APIの障害v2')].sort(), ['api', 'v2', 'の障', '障害']);
  assert.equal(found('api', 'API障害'), true);
});

test('width and case do not matter', () => {
  assert.equal(found('ｒｅｄｉｓ サーバー', 'Redis サーバー'), true);
  assert.equal(found('ﾃｽﾄ', 'テスト'), true);
});

test('English words are whole words', () => {
  assert.deepEqual([...terms('Release check: snake_case, café')], ['release', 'check', 'snake_case', 'café']);
  assert.equal(found('check', 'unchecked'), false);
});

test('the score is the share of what was asked for, the title counting three times', () => {
  assert.equal(score(terms('redis outage'), 'Redis', 'outage'), 2);
  assert.equal(score(terms('redis outage'), '', 'redis'), 0.5);
  assert.equal(score(terms('redis'), 'other', 'words'), 0);
  assert.equal(score(terms('、。!?'), 'x', 'y'), 0);
});
