import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OutputFile, outputPath } from '../../../../src/elders/servant/execution/output-file.ts';
import { maxTailBytes, OutputTail } from '../../../../src/elders/servant/execution/output-tail.ts';
import { workbench } from './workbench.ts';

async function* chunks(...parts: Buffer[]): AsyncGenerator<Buffer> {
  yield* parts;
}

test('the tail is cut at a character, wherever the chunks end', () => {
  const text = '障害対応エルダー🌳'.repeat(10);
  const bytes = Buffer.from(text);
  for (let limit = 1; limit < 40; limit += 1) {
    for (const size of [1, 7, bytes.length]) {
      const tail = new OutputTail(limit);
      for (let at = 0; at < bytes.length; at += size) tail.push(bytes.subarray(at, at + size));
      const kept = tail.text();
      assert.ok(text.endsWith(kept), `${limit}/${size}: ${kept}`);
      assert.ok(Buffer.byteLength(kept) <= limit && Buffer.byteLength(kept) > limit - 4);
    }
  }
});

test('a tail of bytes that are no text stays within its limit', () => {
  const tail = new OutputTail();
  tail.push(Buffer.alloc(300_000, 0xff));
  assert.ok(Buffer.byteLength(tail.text()) <= maxTailBytes);
});

test('a Japanese output longer than the tail ends as it was printed', async (t) => {
  const { run } = workbench(t);
  const result = await run('for i in $(seq 4000); do echo "第$i 行：障害を検出しました"; done');
  const { tail, bytes, path } = result.output!;
  assert.ok(bytes > maxTailBytes);
  assert.ok(readFileSync(path, 'utf8').endsWith(tail));
  assert.ok(Buffer.byteLength(tail) > maxTailBytes - 4);
  assert.doesNotMatch(tail, /\ufffd/);
});

test('an id that could lead out of the folder, or cannot be a name, is refused', () => {
  const folder = '/srv/project/.elders/output';
  const names = { folder, directiveId: 'd', taskId: '単体テスト', attempt: 2 };
  assert.equal(outputPath(names), `${folder}/d/単体テスト.2.log`);
  for (const bad of ['..', '.', '', 'a/b', '../x', 'a\\b', 'a\0b', 'a\nb', '.hidden', 'x'.repeat(201)]) {
    assert.throws(() => outputPath({ ...names, taskId: bad }), { code: 'malformed' }, bad);
    assert.throws(() => outputPath({ ...names, directiveId: bad }), { code: 'malformed' }, bad);
  }
  for (const attempt of [0, 1.5, Number.NaN]) {
    assert.throws(() => outputPath({ ...names, attempt }), { code: 'malformed' });
  }
});

test('a link in the place of an output file is not followed', (t) => {
  const { base } = workbench(t);
  writeFileSync(join(base, 'victim'), 'untouched');
  symlinkSync(join(base, 'victim'), join(base, 'out.log'));
  assert.throws(() => OutputFile.open(join(base, 'out.log'), 1_000), { code: 'ELOOP' });
  assert.equal(readFileSync(join(base, 'victim'), 'utf8'), 'untouched');
});

test('each chunk is written before the next is read', async (t) => {
  const { base } = workbench(t);
  const path = join(base, 'out.log');
  const file = OutputFile.open(path, 10_000_000);
  async function* watchful(): AsyncGenerator<Buffer> {
    for (let written = 0; written < 3_000_000; written += 1_000_000) {
      assert.equal(readFileSync(path).length, written);
      yield Buffer.alloc(1_000_000, 'x');
    }
  }
  await file.consume(watchful());
  const { problem, bytes } = await file.finish();
  assert.deepEqual([problem, bytes], [null, 3_000_000]);
});

test('a disk that takes no more does not stop the reading, and is told', {
  skip: !existsSync('/dev/full'),
}, async () => {
  const file = OutputFile.open('/dev/full', 1_000_000);
  await file.consume(chunks(Buffer.from('first '), Buffer.from('second')));
  const summary = await file.finish();
  assert.match(summary.problem!, /could not be written: ENOSPC/);
  assert.equal(summary.tail, 'first second');
  assert.deepEqual([summary.bytes, summary.sha256], [0, createHash('sha256').digest('hex')]);
});
