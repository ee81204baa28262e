import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandTable, globalOptions } from '../../../src/cli/command-table.ts';
import { commandText } from '../../../src/cli/command-text.ts';
import { cutDisplay, displayWidth, padDisplay } from '../../../src/cli/text/display-width.ts';
import { en } from '../../../src/cli/text/en.ts';
import { ja } from '../../../src/cli/text/ja.ts';
import { chooseLocale } from '../../../src/cli/text/locale.ts';
import { manyLines, oneLine } from '../../../src/cli/text/printable.ts';
import { renderTable } from '../../../src/cli/text/table.ts';
import { spanText } from '../../../src/cli/text/times.ts';

test('East Asian characters take two columns, marks and styles none', () => {
  const widths: [string, number][] = [
    ['', 0],
    ['abc', 3],
    ['状態', 4],
    ['ﾊﾝｶｸ', 4],
    ['（）、。', 8],
    ['ＡＢＣ', 6],
    ['한글', 4],
    ['が', 2],
    ['e\u0301', 1],
    ['…→', 2],
    ['𠮷', 2],
    ['👩‍💻', 2],
    ['a\u200bb', 2],
    ['\x1b[31mred\x1b[39m', 3],
  ];
  for (const [text, width] of widths) assert.equal(displayWidth(text), width, JSON.stringify(text));
});

test('texts are padded and cut by columns, never through a character', () => {
  assert.equal(padDisplay('状態', 6), '状態  ');
  assert.equal(padDisplay('long', 2), 'long');
  assert.equal(cutDisplay('abcdef', 4), 'abc…');
  assert.equal(cutDisplay('状態表示', 5), '状態…');
  assert.equal(cutDisplay('状態表示', 4), '状…');
  assert.equal(cutDisplay('状態', 4), '状態');
});

test('a table aligns columns of mixed width', () => {
  const table = renderTable([
    ['名前', '状態', 'x'],
    ['a', 'ready', ''],
  ]);
  assert.equal(table, '名前  状態   x\na     ready\n');
});

test('the flag decides, then the configuration, then the first variable that is set', () => {
  const ja = { LANG: 'ja_JP.UTF-8' };
  assert.equal(chooseLocale(undefined, undefined, {}), 'en');
  assert.equal(chooseLocale(undefined, undefined, ja), 'ja');
  assert.equal(chooseLocale(undefined, 'auto', ja), 'ja');
  assert.equal(chooseLocale('en', 'ja', ja), 'en');
  assert.equal(chooseLocale(undefined, 'en', ja), 'en');
  assert.equal(chooseLocale(undefined, 'ja', {}), 'ja');
  assert.equal(chooseLocale(undefined, undefined, { ...ja, LC_ALL: 'C' }), 'en');
  assert.equal(chooseLocale(undefined, undefined, { ...ja, LC_ALL: '', LC_MESSAGES: 'en_US' }), 'en');
  assert.equal(chooseLocale(undefined, undefined, { LC_MESSAGES: 'ja' }), 'ja');
  assert.equal(chooseLocale(undefined, undefined, { LANG: 'jam_JM' }), 'en');
});

test('every command, argument and option has its help in both languages, and nothing else has', () => {
  for (const catalog of [en, ja]) {
    const paths = commandTable.map(({ path }) => path);
    assert.deepEqual(Object.keys(catalog.commands).sort(), [...paths].sort());
    for (const { path, arguments: args, options } of commandTable) {
      const text = commandText(catalog, path);
      assert.notEqual(text.summary, '', path);
      assert.deepEqual(
        Object.keys(text.arguments),
        args.map(({ name }) => name),
        path,
      );
      assert.deepEqual(
        Object.keys(text.options),
        options.map(({ name }) => name),
        path,
      );
    }
    assert.deepEqual(
      Object.keys(catalog.globals),
      globalOptions.map(({ name }) => name),
    );
  }
});

test('the Japanese catalog is Japanese', () => {
  const japanese = /[\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Han}]/u;
  for (const { path } of commandTable) assert.match(commandText(ja, path).summary, japanese, path);
});

test('foreign text cannot drive the terminal', () => {
  assert.equal(oneLine('a\x1b[2Jb\r\nc\u202e'), 'a·[2Jb··c·');
  assert.equal(manyLines('a\r\n\tb\x07'), 'a\n\tb·');
});

test('spans are written for people', () => {
  const spans: [number, string][] = [
    [-5, '0.0 s'],
    [420, '0.4 s'],
    [12_400, '12 s'],
    [59_700, '1 m 00 s'],
    [185_000, '3 m 05 s'],
    [7_800_000, '2 h 10 m'],
    [273_600_000, '3 d 4 h'],
  ];
  for (const [ms, text] of spans) assert.equal(spanText(ms), text);
});
