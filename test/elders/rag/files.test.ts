import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FileCutter } from '../../../src/elders/rag/cut/cut-file.ts';
import { decodeText } from '../../../src/elders/rag/files/decode.ts';
import { walk } from '../../../src/elders/rag/files/walk.ts';
import { removeSecrets } from '../../../src/elders/rag/secrets/find-secrets.ts';

function folder(t: TestContext): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'elders-rag-')));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function write(root: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

test('a walk goes by every .gitignore, the innermost deciding, and never into .git or .elders', (t) => {
  const root = folder(t);
  write(root, {
    '.git/config': 'x',
    '.git/info/exclude': 'private/\n',
    '.elders/secret/ca.key': 'x',
    '.gitignore': '*.log\n/build/\n',
    'build/out.txt': 'x',
    'private/x.txt': 'x',
    'a.log': 'x',
    'deep/build/kept.txt': 'x',
    'deep/.gitignore': '!important.log\n*.tmp\n',
    'deep/important.log': 'x',
    'deep/b.tmp': 'x',
    'b.tmp': 'x',
  });
  symlinkSync(root, join(root, 'deep/loop'));
  const all = [...walk(root)].map(({ path, reason }) => [relative(root, path), reason ?? null]);
  assert.deepEqual(all.sort(), [
    ['.gitignore', null],
    ['b.tmp', null],
    ['deep/.gitignore', null],
    ['deep/build/kept.txt', null],
    ['deep/important.log', null],
    ['deep/loop', 'not_a_file'],
  ]);
  const below = [...walk(join(root, 'deep'))].map(({ path }) => relative(root, path));
  assert.ok(
    !below.includes('deep/b.tmp') && below.includes('deep/important.log'),
    'rules from above hold too',
  );
});

test('Shift_JIS, EUC-JP, ISO-2022-JP and UTF-16 are read as what they are, broken bytes do no harm', () => {
  // 「障害が発生しました。再起動してください。」
  const sjis = Buffer.from(
    '8fe18a5182aa94ad90b682b582dc82b582bd81428dc48b4e93ae82b582c482ad82be82b382a28142',
    'hex',
  );
  const euc = Buffer.from('bee3b3b2a4acc8afc0b8a4b7a4dea4b7a4bfa1a3', 'hex');
  assert.match(decodeText(sjis).text, /障害が発生しました/);
  assert.equal(decodeText(sjis).encoding, 'shift_jis');
  assert.deepEqual(decodeText(euc), { text: '障害が発生しました。', encoding: 'euc-jp', damaged: false });
  const jis = Buffer.from('1b24423e6333321b2842', 'hex');
  assert.equal(decodeText(jis).encoding, 'iso-2022-jp');
  assert.equal(decodeText(Buffer.from('\ufeff障害', 'utf16le')).text.replace('\ufeff', ''), '障害');
  const latin = decodeText(Buffer.from('Caf\xe9 und Gr\xfc\xdfe, na\xefve', 'latin1'));
  assert.deepEqual([latin.encoding, latin.damaged], ['utf-8', true]);
});

test('lines with secrets go, their neighbours and the number of lines stay', () => {
  const token = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`;
  const key = ['-----BEGIN RSA PRIVATE KEY-----', 'MIIabc', 'def', '-----END RSA PRIVATE KEY-----'].join(
    '\n',
  );
  const text = `first\ntoken: ${token}\nmiddle\n${key}\nconst password = "q7Zk2pX9vB4mT1wR";\nlast`;
  const cleaned = removeSecrets(text);
  assert.deepEqual(cleaned.text.split('\n'), [
    ...['first', '[secret]', 'middle', '[secret]', '[secret]', '[secret]', '[secret]', '[secret]', 'last'],
  ]);
  assert.deepEqual(
    new Set(cleaned.found.map(({ rule }) => rule)),
    new Set(['github', 'generic-api-key', 'private-key']),
  );
  const harmless =
    'const apiKey = process.env.API_KEY;\nAKIAIOSFODNN7EXAMPLE\nkeyword: retrieval-augmented\ntoken = getToken(options)';
  assert.deepEqual(removeSecrets(harmless), { text: harmless, found: [] }, 'what only looks like one stays');
});

test('files that cannot be indexed are told with the reason', async (t) => {
  const root = folder(t);
  write(root, {
    '.env': 'A=1',
    'big.txt': 'x',
    'picture.dat': Buffer.from([1, 2, 0, 4]),
    'settings.yaml': `key: AKIAQ3EGRZ7LZ5N2XW4C\n`,
    'broken.txt': Buffer.concat([
      Buffer.from('before '),
      Buffer.from([0xff, 0xfe, 0xc0]),
      Buffer.from(' after'),
    ]),
    'closed.txt': 'x',
  });
  truncateSync(join(root, 'big.txt'), 1_000_000_000);
  symlinkSync('big.txt', join(root, 'link.txt'));
  chmodSync(join(root, 'closed.txt'), 0);
  const cutter = new FileCutter(4_000_000);
  const reasonFor = async (name: string) => {
    const cut = await cutter.cut({ path: join(root, name), shown: name, knownHash: undefined });
    return cut.reason ?? cut.notes.map(({ kind }) => kind).join();
  };
  assert.equal(await reasonFor('.env'), 'secret');
  assert.equal(await reasonFor('big.txt'), 'too_large');
  assert.equal(await reasonFor('picture.dat'), 'binary');
  assert.equal(await reasonFor('settings.yaml'), 'secret');
  assert.equal(await reasonFor('broken.txt'), 'invalid_text');
  assert.equal(await reasonFor('link.txt'), 'not_a_file');
  assert.equal(await reasonFor('missing.txt'), 'gone');
  if (process.geteuid?.() !== 0) assert.equal(await reasonFor('closed.txt'), 'unreadable');
});

test('code is cut at its definitions and HTML keeps its lines', async (t) => {
  const root = folder(t);
  const method = (name: string) =>
    `    def ${name}(self, first, second):\n${'        first = second + compute_something_long(first)\n'.repeat(14)}`;
  write(root, {
    'code.py': `import os\n\nclass Keeper:\n${method('open_door')}\n${method('close_door')}`,
    'page.html':
      '<html><head><title>Page</title><script>var hidden</script></head>\n<body>\n<h1>Top</h1>\n<p>first\n<b>bold</b> &amp; more</p>\n</body></html>',
  });
  const cutter = new FileCutter(4_000_000);
  const code = await cutter.cut({ path: join(root, 'code.py'), shown: 'code.py', knownHash: undefined });
  const paths = code.prepared?.chunks.map(({ chunk }) =>
    [...chunk.headingPath, ...chunk.innerHeadings].join('.'),
  );
  assert.ok(
    paths?.some((path) => path.startsWith('Keeper.open_door')),
    String(paths),
  );
  assert.ok(
    paths?.some((path) => path.startsWith('Keeper.close_door')),
    String(paths),
  );
  const page = await cutter.cut({ path: join(root, 'page.html'), shown: 'page.html', knownHash: undefined });
  assert.equal(page.prepared?.document.title, 'Page');
  const [first] = page.prepared?.chunks ?? [];
  assert.deepEqual([first?.chunk.startLine, first?.chunk.endLine], [3, 5]);
  assert.match(first?.chunk.text ?? '', /first\nbold & more/);
  assert.doesNotMatch(first?.chunk.text ?? '', /hidden/);
});

test('what stands in one line is cut all the same: pages at their headings, all else by length', async (t) => {
  const root = folder(t);
  const many = (make: (at: number) => string) => Array.from({ length: 400 }, (_, at) => make(at)).join('');
  write(root, {
    'page.html': `<html><body><div>${many((at) => `<h2>Part ${at}</h2><p>Said of <b>number</b> ${at}${', and more'.repeat(20)}.</p>`)}</div></body></html>`,
    'min.js': many((at) => `function f${at}(x){return x+${at}};`).repeat(5),
    'one.md': `# 見出し\n\n${many((at) => `文の番号は${at}です。`).repeat(5)}`,
    'one.json': JSON.stringify(Array.from({ length: 4_000 }, (_, at) => ({ at }))),
  });
  const cutter = new FileCutter(4_000_000);
  for (const name of ['page.html', 'min.js', 'one.md', 'one.json']) {
    const { prepared } = await cutter.cut({ path: join(root, name), shown: name, knownHash: undefined });
    const chunks = prepared?.chunks.map(({ chunk }) => chunk) ?? [];
    assert.ok(chunks.length > 5, `${name}: ${chunks.length}`);
    assert.ok(
      chunks.every(({ text }) => text.length <= 3_200 && text.isWellFormed()),
      name,
    );
    const lines = new Set(chunks.map(({ startLine, endLine }) => `${startLine}-${endLine}`));
    assert.deepEqual([...lines], name === 'one.md' ? ['1-1', '3-3'] : ['1-1'], name);
    if (name !== 'page.html') continue;
    const [first] = chunks;
    assert.deepEqual(first?.headingPath, ['Part 0']);
    assert.match(first?.text ?? '', /^## Part 0\nSaid of number 0, and more/);
  }
});
