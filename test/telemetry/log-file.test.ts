import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LogFile } from '../../src/telemetry/log-file.ts';

describe('LogFile', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'elders-log-'));
  });
  after(() => rmSync(root, { recursive: true }));

  function open(name: string, files: number, maxBytes = 30) {
    const file = join(root, name);
    return { file, log: new LogFile({ file, maxBytes, files }) };
  }
  const read = (path: string) => readFileSync(path, 'utf8');

  test('moves each full file one number up and keeps as many as told', () => {
    const { file, log } = open('rotate.log', 3);
    for (let line = 1; line <= 9; line += 1) log.write(`line ${line} xxxxxx\n`);
    assert.equal(read(file), 'line 9 xxxxxx\n');
    assert.equal(read(`${file}.1`), 'line 7 xxxxxx\nline 8 xxxxxx\n');
    assert.equal(read(`${file}.2`), 'line 5 xxxxxx\nline 6 xxxxxx\n');
    assert.equal(existsSync(`${file}.3`), false);
    for (const name of readdirSync(root)) assert.equal(statSync(join(root, name)).mode & 0o777, 0o600);
    log.close();
  });

  test('keeps one file when told so', () => {
    const { file, log } = open('one.log', 1);
    for (const line of ['first 0123456789\n', 'second 0123456789\n']) log.write(line);
    assert.equal(read(file), 'second 0123456789\n');
    assert.equal(existsSync(`${file}.1`), false);
    log.close();
  });

  test('counts bytes, not characters, and what an earlier process left', () => {
    const { file, log } = open('bytes.log', 2);
    log.write('障害障害障害\n');
    log.close();
    const next = new LogFile({ file, maxBytes: 30, files: 2 });
    next.write('障害障害\n');
    assert.equal(read(`${file}.1`), '障害障害障害\n');
    assert.equal(read(file), '障害障害\n');
    next.close();
  });

  test('writes a line that is larger than a file as a whole', () => {
    const { file, log } = open('large.log', 2);
    const line = `${'x'.repeat(100)}\n`;
    log.write(line);
    log.write('next\n');
    assert.equal(read(`${file}.1`), line);
    assert.equal(read(file), 'next\n');
    log.close();
  });

  test('fills gaps in the numbers without losing a file', () => {
    const { file, log } = open('gap.log', 4);
    writeFileSync(`${file}.2`, 'old\n');
    log.write(`${'x'.repeat(29)}\n`);
    log.write('next\n');
    assert.equal(read(`${file}.3`), 'old\n');
    log.close();
  });

  test('drops lines while the disk is full and never throws', { skip: !existsSync('/dev/full') }, () => {
    const log = new LogFile({ file: '/dev/full', maxBytes: 1_000_000, files: 2 });
    log.write('lost\n');
    log.flushSync();
    log.close();
  });

  test('goes on in the same file when it cannot be moved', () => {
    const { file, log } = open('stuck.log', 2, 10);
    // A folder with something in it stands where the file should go; that stops root as well.
    mkdirSync(join(`${file}.1`, 'occupied'), { recursive: true });
    log.write('0123456789\n');
    log.write('0123456789\n');
    assert.equal(read(file), '0123456789\n0123456789\n');
    log.close();
  });

  test('ignores what is written after it was closed', () => {
    const { file, log } = open('closed.log', 2);
    log.write('kept\n');
    log.close();
    log.close();
    log.write('late\n');
    log.flushSync();
    assert.equal(read(file), 'kept\n');
  });
});
