import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ElderError } from '../../src/protocol/errors.ts';
import { createLogger, type Logger, nullLogger } from '../../src/telemetry/logger.ts';

describe('createLogger', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'elders-logger-'));
  });
  after(() => rmSync(root, { recursive: true }));

  let count = 0;
  function open(options: { level?: 'debug' | 'info' | 'warn' | 'error'; maxBytes?: number } = {}) {
    count += 1;
    const file = join(root, `${count}.log`);
    const log = createLogger({
      name: 'task_sage',
      file,
      level: 'info',
      maxBytes: 1_000_000,
      files: 3,
      ...options,
    });
    return { log, file, text: () => readFileSync(file, 'utf8') };
  }
  function lines(text: string): Record<string, unknown>[] {
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  test('writes a JSON line with time, level, name and text at once', () => {
    const { log, text } = open();
    const before = Date.now();
    log.info({ directiveId: 'd1', count: 3 }, '指示を受け付けました');
    const [line] = lines(text());
    const { time, ...rest } = line!;
    assert.deepEqual(rest, {
      level: 'info',
      name: 'task_sage',
      directiveId: 'd1',
      count: 3,
      msg: '指示を受け付けました',
    });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Date.parse(String(time)) >= before && Date.parse(String(time)) <= Date.now());
    log.close();
  });

  test('writes levels by their names, and those below the level not at all', () => {
    const { log, text } = open({ level: 'warn' });
    for (const level of ['debug', 'info', 'warn', 'error', 'fatal'] as const) log[level]({}, level);
    assert.deepEqual(
      lines(text()).map(({ level, msg }) => [level, msg]),
      [
        ['warn', 'warn'],
        ['error', 'error'],
        ['fatal', 'fatal'],
      ],
    );
    log.close();
  });

  test('adds the fields of a child to each of its lines', () => {
    const { log, text } = open();
    log.child({ incarnation: 7, password: 'hunter2' }).info({ a: 1 }, 'x');
    log.info({}, 'y');
    const [first, second] = lines(text());
    assert.equal(first?.incarnation, 7);
    assert.equal(first?.password, '[redacted]');
    assert.equal(first?.name, 'task_sage');
    assert.equal('incarnation' in second!, false);
    log.close();
  });

  test('hides secrets at any depth, in errors and in what makes its own JSON', () => {
    const { log, text } = open({ level: 'debug' });
    const secret = 'hunter2';
    log.info({ password: secret, privateKey: Buffer.from(secret), key: [secret] }, 'a');
    log.info({ a: { b: [{ private_key: secret, PASSWORD: secret, 'api-key': secret }] } }, 'b');
    log.error({ err: new ElderError('denied', 'no', { detail: { password: secret } }) }, 'c');
    log.error({ cause: Object.assign(new Error('x'), { token: secret }) }, 'd');
    log.info({ wrapped: { toJSON: () => ({ password: secret }) } }, 'e');
    assert.equal(lines(text()).length, 5);
    assert.ok(!text().includes(secret) && !text().includes('104,117,110'));
    log.close();
  });

  test('lets no field take the place of what the logger says itself', () => {
    const { log, text } = open();
    const fields = { name: 'grand_elder', level: 'fatal', time: 'never', msg: 'forged' };
    log.child(fields).info(fields, 'x');
    const [line] = lines(text());
    assert.deepEqual([line?.name, line?.level, line?.msg], ['task_sage', 'info', 'x']);
    assert.equal(line?.name_, 'grand_elder');
    assert.ok(Date.parse(String(line?.time)));
    assert.equal(text().match(/"(name|level|msg|time)":/g)?.length, 4);
    log.close();
  });

  test('tells code, reason and stack of an error', () => {
    const { log, text } = open();
    log.error({ err: new ElderError('fenced', 'incarnation 8 has taken over') }, 'x');
    const err = lines(text())[0]?.err as Record<string, string>;
    assert.equal(err.code, 'fenced');
    assert.equal(err.reason, 'incarnation 8 has taken over');
    assert.match(String(err.stack), /logger\.test\.ts/);
    log.close();
  });

  test('lets no value forge a line, whatever its reader breaks lines at', () => {
    const { log, text } = open();
    const forged = '{"level":"error","msg":"forged"}';
    const breaks = [
      '\n',
      '\r',
      '\r\n',
      '\u0085',
      '\u2028',
      '\u2029',
      '\v',
      '\f',
      '\0',
      '\u001b[2K',
      '\u009b2K',
      '\u007f',
    ];
    for (const separator of breaks) {
      const value = `x${separator}${forged}`;
      log.info({ value, [`k${separator}${forged}`]: 1, nested: { value } }, value);
    }
    const all = lines(text());
    assert.equal(all.length, breaks.length);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what this tests
    assert.doesNotMatch(text(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/);
    for (const [index, separator] of breaks.entries()) {
      assert.equal(all[index]?.level, 'info');
      assert.equal(all[index]?.msg, `x${separator}${forged}`);
      assert.equal(all[index]?.value, `x${separator}${forged}`);
    }
    log.close();
  });

  test('survives what cannot be JSON', () => {
    const { log, text } = open();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    log.info({ circle, big: 1n, nothing: undefined, run: () => {} }, 'x');
    assert.equal(lines(text()).length, 1);
    log.close();
  });

  test('rotates, and children follow', () => {
    const { log, file, text } = open({ maxBytes: 500 });
    const child = log.child({ part: 'child' });
    for (let index = 0; index < 10; index += 1) (index % 2 ? log : child).info({ index }, 'x'.repeat(100));
    const kept = [
      ...lines(readFileSync(`${file}.2`, 'utf8')),
      ...lines(readFileSync(`${file}.1`, 'utf8')),
      ...lines(text()),
    ];
    const last = kept.map((line) => line.index);
    assert.deepEqual(last, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].slice(-last.length));
    assert.ok(last.length >= 4);
    log.close();
  });

  test('loses no line when the process exits in the same tick or kills itself', () => {
    const url = new URL('../../src/telemetry/logger.ts', import.meta.url).href;
    for (const end of ['process.exit(3)', 'process.kill(process.pid, "SIGKILL")', 'throw new Error("x")']) {
      const file = join(root, `end-${end.length}.log`);
      const program = `
        import { createLogger } from ${JSON.stringify(url)};
        const log = createLogger({ name: 'x', file: ${JSON.stringify(file)}, level: 'info', maxBytes: 5000, files: 100 });
        for (let index = 0; index < 200; index += 1) log.info({ index }, 'line');
        log.fatal({}, 'last');
        ${end};`;
      spawnSync(process.execPath, ['--input-type=module', '-e', program]);
      const text = readFileSync(file, 'utf8');
      assert.equal(lines(text).at(-1)?.msg, 'last', end);
      assert.equal(lines(text).at(-2)?.index, 199, end);
    }
  });
});

test('nullLogger takes everything and writes nothing', () => {
  const log: Logger = nullLogger.child({ a: 1 });
  for (const level of ['debug', 'info', 'warn', 'error', 'fatal'] as const) log[level]({}, 'x');
  log.flush();
  log.close();
});
