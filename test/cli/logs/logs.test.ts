import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findLogs, readLastLines } from '../../../src/cli/logs/log-files.ts';
import { followLogs } from '../../../src/cli/logs/log-follower.ts';
import { type LogLine, parseLogLine } from '../../../src/cli/logs/log-lines.ts';
import { stateFolder } from '../../../src/protocol/state-folder.ts';
import { callElders, temporaryFolder } from '../elders-command.ts';

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

test('a process cannot speak in the name of another, nor break what reads its log', (context) => {
  const folder = temporaryFolder(context);
  const own = join(folder, 'servant_1');
  mkdirSync(own);
  const forged = logLine('manager', 1, 'all is well', 'error');
  writeFileSync(join(own, 'servant_1.log'), forged);
  writeFileSync(join(own, 'manager.log'), forged);
  writeFileSync(join(folder, 'secret'), 'a secret\n');
  symlinkSync(join(folder, 'secret'), join(own, 'servant_1.out'));
  symlinkSync(join(folder, 'secret'), join(own, 'servant_1.log.1'));
  const [line, ...others] = readLastLines(findLogs(folder, []), 10, all);
  assert.deepEqual(others, []);
  assert.equal(line?.name, 'servant_1');
  assert.equal(line?.fields?.name, 'servant_1');
  const deep = parseLogLine(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'servant_1', 7);
  assert.equal(deep.fields, null);
  for (const time of [1e300, -1e300, 'never', null]) {
    const { time: at } = parseLogLine(JSON.stringify({ time, level: 'info' }), 'servant_1', 7);
    assert.doesNotThrow(() => new Date(at).toISOString(), String(time));
  }
});

test('control characters and forged lines in a log come out as one harmless line', async (context) => {
  const folder = temporaryFolder(context);
  const { log, logFile } = stateFolder(folder);
  mkdirSync(join(log, 'servant_1'), { recursive: true });
  const msg = 'done\n2026-01-01 error manager \u001b[31mforged\u001b[0m\r\u202egnp';
  writeFileSync(logFile('servant_1'), logLine('servant_1', 1, msg));
  const { stdout } = await callElders(['logs', '--project', folder], { cwd: folder });
  assert.equal(stdout.trimEnd().split('\n').length, 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through.
  assert.doesNotMatch(stdout.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u202e]/);
  for (const name of ['../secret/ca.pem', '__proto__', 'constructor', 'servant_1/../../x']) {
    assert.equal((await callElders(['logs', name, '--project', folder], { cwd: folder })).code, 2, name);
  }
});
