import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SortedLines } from '../../../../src/elders/search/language/sorted-lines.ts';
import { dictionaryForms, usualForms } from '../../../../src/elders/search/language/verb-forms.ts';
import { wordBook } from '../../../../src/elders/search/language/word-book.ts';

test('every line of sorted lines is found, and no other word', () => {
  const words = ['a', 'ab', 'abc', 'b', 'zz', '停止', '停電', '書く'];
  const lines = new SortedLines(Buffer.from(words.map((word) => `${word}=<${word}>\n`).join('')));
  for (const word of words) assert.equal(lines.find(word), `<${word}>`);
  for (const word of ['', '0', 'aa', 'abcd', 'zzz', '停', '停止中', '鬱'])
    assert.equal(lines.find(word), undefined);
  assert.equal(new SortedLines(Buffer.alloc(0)).find('a'), undefined);
});

test('the files of the word book are sorted as they are looked up', () => {
  for (const name of ['japanese', 'english', 'irregular']) {
    const url = new URL(`../../../../src/elders/search/language/words/${name}.txt`, import.meta.url);
    const keys = readFileSync(url, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => Buffer.from(line.slice(0, line.indexOf('='))));
    const at = keys.findIndex((key, place) => place > 0 && Buffer.compare(keys[place - 1] ?? key, key) >= 0);
    assert.equal(at, -1, `${name}.txt, line ${at + 1}`);
  }
});

test('a form leads to the dictionary form of its verb or adjective', () => {
  for (const [form, word] of [
    ['書い', '書く'],
    ['読ん', '読む'],
    ['調べ', '調べる'],
    ['見た', '見る'],
    ['止まっ', '止まる'],
    ['遅く', '遅い'],
  ] as const)
    assert.ok(dictionaryForms(form).includes(word), `${form}: ${dictionaryForms(form).join(' ')}`);
  assert.deepEqual(usualForms('書', 'く'), ['書く', '書き', '書い']);
  assert.deepEqual(usualForms('早', 'い'), ['早い', '早く']);
  assert.deepEqual(usualForms('消', 'す'), ['消す', '消し']);
});

test('the word book knows words of both languages and irregular forms', () => {
  const book = wordBook();
  assert.ok(book.japanese('承認').some(({ word }) => word === 'approval'));
  assert.ok(book.english('delete')?.japanese.includes('削除'));
  assert.ok(book.english('error')?.english.includes('mistake'));
  assert.equal(book.lemma('ran'), 'run');
  assert.ok(book.english('run')?.irregular.includes('ran'));
  assert.deepEqual(book.japanese('無い言葉'), []);
  assert.equal(book.english('no such word'), undefined);
});
