import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { CuttingThread } from '../../../src/elders/rag/cut/cutting-thread.ts';
import { readWhole } from '../../../src/elders/rag/files/read-file.ts';
import { IndexStore } from '../../../src/elders/rag/indexing/index-store.ts';
import type { SourceReport } from '../../../src/elders/rag/indexing/source-report.ts';

/** Rights mean nothing to root, so the tree is indexed by nobody there. */
const nobody = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

function folder(t: TestContext, place = tmpdir()): string {
  const made = realpathSync(mkdtempSync(join(place, 'elders-rag-')));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function indexOnce(base: string, root: string): Promise<SourceReport> {
  const program = join(import.meta.dirname, 'fixture/index-once.ts');
  const options = { ...nobody, cwd: '/', env: { PATH: process.env.PATH, HOME: base } };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, join(base, 'index.sqlite'), root],
    options,
  );
  return JSON.parse(stdout);
}

test('whatever stands in a folder, it is indexed, and what could not be is told', async (t) => {
  // The temporary folder of a run is closed to nobody.
  const base = folder(t, '/tmp');
  const root = join(base, 'tree');
  mkdirSync(join(root, 'closed'), { recursive: true });
  const files: Record<string, string | Buffer> = {
    'good.md': '# Good\n\nfine\n',
    'closed/inside.md': 'x',
    'closed.md': 'x',
    'huge.log': '',
    'binary.dat': Buffer.from([1, 2, 0, 4]),
    'named.png': 'x',
    'sjis.txt': Buffer.from('8fe18a5182aa94ad90b682b582dc82b582bd8142', 'hex'),
    'euc.txt': Buffer.from('bee3b3b2a4acc8afc0b8a4b7a4dea4b7a4bfa1a3', 'hex'),
    'broken.txt': Buffer.concat([Buffer.from('before '), Buffer.from([0xff, 0xc0]), Buffer.from(' after')]),
    '.env': 'A=1',
    'empty.txt': '',
    'strange\nname\u{1f333}.txt': 'x',
  };
  for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content);
  // A name in another encoding than UTF-8, which macOS does not take.
  const isLinux = process.platform === 'linux';
  if (isLinux) writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x8f, 0xe1])]), 'x');
  truncateSync(join(root, 'huge.log'), 1_000_000_000);
  symlinkSync('.', join(root, 'loop'));
  symlinkSync('nowhere', join(root, 'dangling'));
  symlinkSync('b', join(root, 'a'));
  symlinkSync('a', join(root, 'b'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  if (nobody.uid !== undefined) chownSync(base, nobody.uid, nobody.gid);
  chmodSync(join(root, 'closed.md'), 0);
  chmodSync(join(root, 'closed'), 0);

  const report = await indexOnce(base, root);
  assert.equal(report.state, 'ready');
  const told = report.problems.map(({ path, kind, indexed }) => [relative(root, path), kind, indexed]);
  assert.deepEqual(told.sort(), [
    ['.env', 'secret', false],
    ['broken.txt', 'invalid_text', true],
    ['closed', 'unreadable', false],
    ['closed.md', 'unreadable', false],
    ['euc.txt', 'encoding', true],
    ['huge.log', 'too_large', false],
    ['sjis.txt', 'encoding', true],
    ...(isLinux ? [['\ufffd\ufffd', 'unreadable', false]] : []),
  ]);
  assert.deepEqual(
    [report.files, report.skipped.binary, report.skipped.not_a_file],
    [6, 2, 5],
    JSON.stringify(report.skipped),
  );
  // Who may read it now is given it without anybody having touched the file.
  chmodSync(join(root, 'closed'), 0o755);
  chmodSync(join(root, 'closed.md'), 0o644);
  const again = await indexOnce(base, root);
  assert.deepEqual(
    [again.state, again.files, again.skipped.unreadable],
    ['ready', 8, isLinux ? 1 : undefined],
  );
});

const step = 65_536;
const size = 32 * step;

/** Whether bytes were never in the file together: the writer goes from the first to the last, a letter at a time. */
function isTorn(bytes: Uint8Array): boolean {
  const changes = [...bytes.keys()].filter((at) => at > 0 && bytes[at] !== bytes[at - 1]);
  const [at = 0] = changes;
  const isNext = ((bytes[at] ?? 0) - 0x61 + 1) % 26 === (bytes[0] ?? 0) - 0x61;
  return changes.length > 0 && (changes.length > 1 || at % step !== 0 || !isNext);
}

/** As a program reads that does not look whether anything has changed meanwhile. */
function readCarelessly(path: string): Buffer {
  const bytes = Buffer.alloc(size);
  const file = openSync(path, 'r');
  for (let at = 0; at < size; at += 4_096) readSync(file, bytes, at, 4_096, at);
  closeSync(file);
  return bytes;
}

test('a file that changes while it is read is never taken half old and half new', async (t) => {
  const path = join(folder(t), 'changing.txt');
  writeFileSync(path, Buffer.alloc(size, 0x61));
  const writer = new Worker(new URL('./fixture/overwrite-forever.ts', import.meta.url), {
    workerData: { path, size, step },
  });
  t.after(() => writer.terminate());
  // The guard is off here, and the checker finds it; so the writer is at work.
  while (!isTorn(readCarelessly(path)));
  const read = await readWhole(path, size);
  if (read.ok) assert.equal(isTorn(read.bytes), false);
  else assert.equal(read.reason, 'changing');
  await writer.terminate();
  let last = await readWhole(path, size);
  while (!last.ok) last = await readWhole(path, size);
  assert.equal(isTorn(last.bytes), false);
});

test('a file that the reading thread dies of is given up alone; the others are cut', async (t) => {
  const root = folder(t);
  const words = Array.from({ length: 1_000_000 }, (_, at) => `w${at.toString(36)}`).join(' ');
  writeFileSync(join(root, 'deadly.txt'), words);
  for (const name of ['one.md', 'two.md', 'three.md']) writeFileSync(join(root, name), `# ${name}`);
  // So little that the terms of one passage after the other do not fit; small files do.
  const thread = new CuttingThread(10_000_000, 12);
  t.after(() => thread.close());
  const cuts = await Promise.all(
    ['one.md', 'deadly.txt', 'two.md', 'three.md'].map((name) =>
      thread.cut({ path: join(root, name), shown: name, size: 1, knownHash: undefined }),
    ),
  );
  assert.deepEqual(
    cuts.map(({ reason, prepared }) => reason ?? prepared?.chunks.length),
    [1, 'failed', 1, 1],
  );
});

test('where the index cannot be kept, the folder is told to have failed, with the reason', async (t) => {
  const base = folder(t);
  mkdirSync(join(base, 'tree'));
  writeFileSync(join(base, 'file'), '');
  const program = join(import.meta.dirname, 'fixture/index-once.ts');
  const index = join(base, 'file', 'index.sqlite');
  const { stdout } = await promisify(execFile)(process.execPath, [program, index, join(base, 'tree')]);
  const report: SourceReport = JSON.parse(stdout);
  assert.equal(report.state, 'failed');
  assert.match(report.reason ?? '', /ENOTDIR|EEXIST/);
});

test('with another limit, the files that it speaks of are looked at again, and no others', (t) => {
  const path = join(folder(t), 'index.sqlite');
  const row = { mark: 'm', prepared: null, hash: '', bytes: 0, notes: [], detail: '' };
  const first = IndexStore.open(path, 100);
  first.put([
    { ...row, path: '/p/large', reason: 'too_large', detail: '150 bytes' },
    { ...row, path: '/p/larger', reason: 'too_large', detail: '1500 bytes' },
    { ...row, path: '/p/closed', reason: 'unreadable', detail: 'EACCES' },
    { ...row, path: '/p/picture', reason: 'binary' },
  ]);
  first.close();
  const next = IndexStore.open(path, 200);
  t.after(() => next.close());
  const again = [...next.below('/p')].filter(([, { mark }]) => mark === '').map(([file]) => file);
  assert.deepEqual(again.sort(), ['/p/closed', '/p/large']);
});
