import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parseEntry, renderEntry } from '../../../src/cli/knowledge/markdown-entry.ts';
import { readMarkdownFolder, writeMarkdownFolder } from '../../../src/cli/knowledge/markdown-folder.ts';
import { type KnowledgeContent, knowledgeContent, knowledgeKinds } from '../../../src/protocol/knowledge.ts';
import { temporaryFolder } from '../elders-command.ts';

/** Mulberry32: the same texts in every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const pieces = [
  ...[
    '---',
    '---\n',
    '\n',
    '\r\n',
    '# Title',
    '## 見出し\n',
    '障害',
    'Ａ',
    '｡',
    '\u{1F333}',
    ' ',
    '\t',
    ':',
    '- ',
  ],
  ...[
    '"',
    "'",
    '#',
    '*',
    '|',
    '>',
    'null',
    'true',
    '2026-01-01',
    '0x1f',
    '~',
    '{',
    '}',
    '\\',
    '\uFEFF',
    '\u0000',
  ],
  ...['\u2028', 'word ', '```\n', '!', '&a', '%', '@', ', ', 'e\u0301'],
];

function randomEntry(next: () => number): KnowledgeContent {
  const text = (most: number) =>
    Array.from({ length: Math.floor(next() * most) }, () => pieces[Math.floor(next() * pieces.length)]).join(
      '',
    );
  const maybe = <T>(value: () => T, other: T) => (next() < 0.5 ? value() : other);
  const list = () => Array.from({ length: Math.floor(next() * 4) }, () => text(4).slice(0, 60) || 'x');
  const part = () =>
    `${['a', 'Z9', '障害', 'my note', 'v1.2', 'é'][Math.floor(next() * 6)]}${Math.floor(next() * 1e6)}`;
  const confidence = Math.round(next() * 100) / 100;
  return knowledgeContent.parse({
    id: next() < 0.5 ? part() : `${part()}/${part()}`,
    title: text(8).slice(0, 300) || 't',
    body: text(40),
    tags: list(),
    kind: maybe(() => knowledgeKinds[Math.floor(next() * 4)] ?? 'lesson', 'document'),
    source: maybe(() => text(5) || 's', 'import'),
    confidence: maybe(() => confidence, null),
    derived: next() < 0.5,
    links: { directives: maybe(list, []), tasks: maybe(list, []), incidents: maybe(list, []) },
    expiresAt: maybe(() => Math.floor(next() * 4e12), null),
    supersededBy: maybe(part, null),
  });
}

test('any entry comes back from its file as it was, whatever stood there before', () => {
  const next = chance(7);
  let present = '';
  for (let round = 0; round < 2_000; round += 1) {
    const entry = randomEntry(next);
    const text = renderEntry(entry, entry.id, next() < 0.5 ? present : '');
    assert.deepEqual(parseEntry(text, entry.id), entry, JSON.stringify(text));
    assert.equal(renderEntry(entry, entry.id, text), text);
    present = text;
  }
});

test('a folder that is written, read and written again does not change, nor do the entries', (context) => {
  const folder = temporaryFolder(context);
  const next = chance(11);
  const entries = [
    ...new Map(Array.from({ length: 60 }, () => randomEntry(next)).map((e) => [e.id, e])).values(),
  ];
  const first = writeMarkdownFolder(folder, entries);
  assert.deepEqual([first.written.length, first.problems], [entries.length, []]);
  const before = contents(folder);
  const read = readMarkdownFolder(folder);
  assert.deepEqual(read.problems, []);
  const byId = new Map(read.files.map(({ entry }) => [entry.id, entry]));
  for (const entry of entries) assert.deepEqual(byId.get(entry.id), entry);
  const again = writeMarkdownFolder(folder, byId.values());
  assert.deepEqual([again.written, again.unchanged], [[], entries.length]);
  assert.deepEqual(contents(folder), before);
});

function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      join(parentPath, name),
      readFileSync(join(parentPath, name), 'base64'),
    ]),
  );
}

function write(folder: string, files: Record<string, string | Uint8Array>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

test('plain Markdown needs no front matter, and what a person wrote in it stays', (context) => {
  const folder = temporaryFolder(context);
  write(folder, {
    '設計/障害対応.md': '# 障害のとき\r\n\r\n本文\r\n',
    'moved.md':
      '---\n# my own comment\nid: kept/elsewhere\naliases: [x]\nkind: decision\ntags: a, b\n---\nText',
    'node_modules/x.md': 'no',
    '.git/x.md': 'no',
    'x.txt': 'no',
  });
  symlinkSync(folder, join(folder, 'loop'));
  const { files, problems } = readMarkdownFolder(folder);
  assert.deepEqual(problems, []);
  const [moved, plain] = files.map(({ entry }) => entry);
  assert.deepEqual([plain?.id, plain?.title, plain?.kind], ['設計/障害対応', '障害のとき', 'document']);
  assert.deepEqual([moved?.id, moved?.title, moved?.tags], ['kept/elsewhere', 'elsewhere', ['a', 'b']]);
  const before = contents(folder);
  writeMarkdownFolder(
    folder,
    files.map(({ entry }) => entry),
  );
  assert.deepEqual(contents(folder), before);
  const changed = { ...(moved as KnowledgeContent), body: 'New text' };
  assert.deepEqual(writeMarkdownFolder(folder, [changed]).written, ['moved.md']);
  const text = readFileSync(join(folder, 'moved.md'), 'utf8');
  assert.match(
    text,
    /# my own comment\nid: kept\/elsewhere\naliases: \[ ?x ?\]\nkind: decision\n[\s\S]*\n---\n\nNew text$/,
  );
});

test('what cannot be read is reported with its path, is never overwritten, and keeps nothing else out', (context) => {
  const folder = temporaryFolder(context);
  write(folder, {
    'good.md': 'good',
    'sjis.md': Uint8Array.of(0x8f, 0xe1, 0x8a, 0x51),
    'yaml.md': '---\nkind: [\n---\nx',
    'kind.md': '---\nkind: novel\n---\nx',
    'twin.md': '---\nid: good\n---\nx',
  });
  const { files, problems } = readMarkdownFolder(folder);
  assert.deepEqual(
    files.map(({ path }) => path),
    ['good.md'],
  );
  assert.deepEqual(problems.map(({ path }) => path).sort(), ['kind.md', 'sjis.md', 'twin.md', 'yaml.md']);
  const entry = { ...(files[0]?.entry as KnowledgeContent), id: 'sjis' };
  const done = writeMarkdownFolder(folder, [entry]);
  assert.deepEqual([done.written, done.problems[0]?.path], [[], 'sjis.md']);
});
