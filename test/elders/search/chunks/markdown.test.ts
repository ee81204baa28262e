import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columns } from '../../../../src/elders/search/chunks/chunk.ts';
import { chunkMarkdown } from '../../../../src/elders/search/chunks/markdown.ts';
import { chunkPlainText } from '../../../../src/elders/search/chunks/plain-text.ts';

const paragraph = 'This sentence fills the section so that it is not joined with its neighbour. '.repeat(6);

test('sections become passages with their heading path and lines', () => {
  const text = `# Guide\n\n## Start\n\n${paragraph}\n\n### Deeper\n\n${paragraph}\n\n## Stop\n\n${paragraph}\n`;
  const { title, chunks } = chunkMarkdown(text);
  assert.equal(title, 'Guide');
  assert.deepEqual(
    chunks.map(({ headingPath }) => headingPath.join(' > ')),
    ['Guide', 'Guide > Start > Deeper', 'Guide > Stop'],
  );
  const lines = text.split('\n');
  for (const { startLine, endLine, text: body } of chunks) {
    assert.equal(lines.slice(startLine - 1, endLine).join('\n'), body);
  }
});

test('small sections under one heading are joined and keep their headings', () => {
  const { chunks } = chunkMarkdown('# Words\n\n## One\n\n1\n\n## Two\n\n2\n');
  assert.equal(chunks.length, 1);
  assert.deepEqual(chunks[0]?.innerHeadings, ['One', 'Two']);
});

test('fences and front matter hold no headings', () => {
  const { title, chunks } = chunkMarkdown(
    '---\ntitle: x\n# no\n---\n\n# Yes\n\n```sh\n# a comment\n```\n\n~~~\n# b\n~~~\n',
  );
  assert.equal(title, 'Yes');
  assert.deepEqual(chunks[0]?.headingPath, ['Yes']);
  assert.deepEqual(chunks[0]?.innerHeadings, []);
});

test('headings are read without their marks', () => {
  assert.equal(
    chunkMarkdown('# **Bold** [link](x) `code` <a id="x"></a> {#anchor}\n\ntext').title,
    'Bold link code',
  );
});

test('a long section is cut at lines, every line stands in one passage, and none is over long', () => {
  const text = `# Long\n\n${Array.from({ length: 200 }, (_, at) => `- ${at} 項目の説明はここにあります`).join('\n')}`;
  const { chunks } = chunkMarkdown(text);
  assert.ok(chunks.length > 3);
  const seen = new Set<number>();
  for (const chunk of chunks) {
    assert.ok(columns(chunk.text) <= 1_700);
    for (let line = chunk.startLine; line <= chunk.endLine; line += 1) {
      assert.ok(!seen.has(line));
      seen.add(line);
    }
  }
  for (let line = 3; line <= 202; line += 1) assert.ok(seen.has(line), `${line}`);
});

test('plain text without line ends is cut as well', () => {
  const chunks = chunkPlainText('x'.repeat(10_000));
  assert.ok(chunks.length > 3);
  assert.ok(chunks.every(({ text }) => text.length <= 3_200));
  assert.deepEqual(chunkPlainText('\n\n'), []);
});
