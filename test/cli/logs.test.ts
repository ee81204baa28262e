import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findLogs, readLastLines } from '../../src/cli/log-files.ts';
import { followLogs } from '../../src/cli/log-follower.ts';
import { type LogLine, parseLogLine } from '../../src/cli/log-lines.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { callElders, temporaryFolder } from './elders-command.ts';

function logLine(name: string, second: number, msg: string, level = 'info'): string {
  const time = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  return `${JSON.stringify({ level, time, name, msg })}\n`;
}

const texts = (lines: readonly LogLine[]) => lines.map(({ text }) => text);
const all = () => true;

test('the last lines of several logs come in order of time', (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'a.log'), logLine('a', 1, 'a1') + logLine('a', 4, 'a4') + logLine('a', 5, 'a5'));
  writeFileSync(join(folder, 'b.log'), logLine('b', 2, 'b2') + logLine('b', 3, 'b3'));
  writeFileSync(join(folder, 'unrelated.txt'), 'x\n');
  const logs = findLogs(folder, []);
  assert.deepEqual(texts(readLastLines(logs, 10, all)), ['a1', 'b2', 'b3', 'a4', 'a5']);
  assert.deepEqual(texts(readLastLines(logs, 3, all)), ['b3', 'a4', 'a5']);
  assert.deepEqual(texts(readLastLines(findLogs(folder, ['b']), 1, all)), ['b3']);
  assert.deepEqual(findLogs(join(folder, 'none'), []), []);
});

test('what was rotated away counts too, and only wanted lines are counted', (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'a.log.2'), logLine('a', 1, 'one', 'error'));
  writeFileSync(join(folder, 'a.log.1'), logLine('a', 2, 'two') + logLine('a', 3, 'three', 'error'));
  writeFileSync(join(folder, 'a.log'), logLine('a', 4, 'four'));
  const logs = findLogs(folder, []);
  assert.deepEqual(texts(readLastLines(logs, 3, all)), ['two', 'three', 'four']);
  const errors = readLastLines(logs, 5, ({ level }) => level === 'error');
  assert.deepEqual(texts(errors), ['one', 'three']);
});

test('lines longer than a block, cut in characters, and unfinished lines are read right', (context) => {
  const folder = temporaryFolder(context);
  const long = '長'.repeat(100_000);
  writeFileSync(join(folder, 'a.log'), `${logLine('a', 1, long)}${logLine('a', 2, 'x')}{"unfinished`);
  assert.deepEqual(texts(readLastLines(findLogs(folder, []), 5, all)), [long, 'x']);
});

test('lines that are not JSON keep their text; those of Redis their time and level', () => {
  const redis = parseLogLine('12:M 22 Nov 2026 15:32:00.123 # Warning: x', 'redis', 5);
  assert.deepEqual(
    { ...redis, time: new Date(redis.time).getMilliseconds() },
    {
      time: 123,
      name: 'redis',
      level: 'warn',
      text: 'Warning: x',
      fields: null,
    },
  );
  assert.deepEqual(parseLogLine('    at main (x.js:1)', 'a', 5), {
    time: 5,
    name: 'a',
    level: 'info',
    text: '    at main (x.js:1)',
    fields: null,
  });
  assert.equal(parseLogLine('{"cut off', 'a', 5).text, '{"cut off');
});

async function next(lines: AsyncGenerator<LogLine, void>): Promise<string | undefined> {
  const { value } = await lines.next();
  return value?.text;
}

function follow(context: TestContext, names: readonly string[] = []) {
  const folder = temporaryFolder(context);
  const abort = new AbortController();
  context.after(() => abort.abort());
  writeFileSync(join(folder, 'a.log'), logLine('a', 1, 'before'));
  const lines = followLogs({ folder, names, signal: abort.signal });
  return { folder, abort, lines };
}

test('following gives new lines only, of new files too, and ends with the signal', async (context) => {
  const { folder, abort, lines } = follow(context);
  appendFileSync(join(folder, 'a.log'), logLine('a', 2, 'after').slice(0, 10));
  appendFileSync(join(folder, 'a.log'), logLine('a', 2, 'after').slice(10));
  assert.equal(await next(lines), 'after');
  writeFileSync(join(folder, 'b.log'), logLine('b', 3, 'other'));
  assert.equal(await next(lines), 'other');
  const end = next(lines);
  abort.abort();
  assert.equal(await end, undefined);
});

test('following goes on through rotations and misses nothing', async (context) => {
  const { folder, lines } = follow(context);
  const path = join(folder, 'a.log');
  appendFileSync(path, logLine('a', 2, 'one'));
  renameSync(path, `${path}.1`);
  writeFileSync(path, logLine('a', 3, 'two'));
  renameSync(`${path}.1`, `${path}.2`);
  renameSync(path, `${path}.1`);
  writeFileSync(path, logLine('a', 4, 'three'));
  for (const expected of ['one', 'two', 'three']) assert.equal(await next(lines), expected);
  appendFileSync(path, logLine('a', 5, 'four'));
  assert.equal(await next(lines), 'four');
});

test('the command prints lines for people, JSON lines for programs, and filters by level', async (context) => {
  const cwd = temporaryFolder(context);
  const { log } = stateFolder(cwd);
  mkdirSync(log, { recursive: true });
  writeFileSync(
    join(log, 'task_sage.log'),
    logLine('task_sage', 1, '\x1b[2Jhello') + logLine('task_sage', 2, 'bad', 'error'),
  );
  const human = await callElders(['logs'], { cwd });
  assert.equal(human.code, 0);
  assert.match(human.stdout, /info {2}task_sage +·\[2Jhello\n.*error task_sage +bad\n$/);
  const json = await callElders(['logs', 'task_sage', '--level', 'warn', '--json'], { cwd });
  assert.deepEqual(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg),
    ['bad'],
  );
  const unknown = await callElders(['logs', 'tsk_sage'], { cwd });
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /did you mean "task_sage"/);
});
