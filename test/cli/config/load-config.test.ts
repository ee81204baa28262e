import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConfigInputs, loadConfig } from '../../../src/cli/config/load-config.ts';
import { defaultConfig } from '../../../src/protocol/config.ts';
import { ElderError } from '../../../src/protocol/errors.ts';
import { temporaryFolder } from '../elders-command.ts';

function project(context: TestContext, yaml?: string): string {
  const folder = temporaryFolder(context);
  if (yaml !== undefined) writeFileSync(join(folder, 'elders.yaml'), yaml);
  return folder;
}

function reasonOf(inputs: ConfigInputs): string {
  try {
    loadConfig(inputs);
  } catch (error) {
    assert.ok(error instanceof ElderError);
    assert.equal(error.code, 'config_invalid');
    return error.reason;
  }
  assert.fail('a problem was expected');
}

test('without a file, flags and environment the defaults hold', (context) => {
  const cwd = project(context);
  const loaded = loadConfig({ cwd, env: {} });
  assert.deepEqual(loaded.config, defaultConfig);
  assert.deepEqual(loaded.project, { folder: cwd, file: null });
  assert.deepEqual([...new Set(loaded.values.map(({ source }) => source))], ['default']);
});

test('an empty file is a valid one', (context) => {
  assert.deepEqual(loadConfig({ cwd: project(context, '# nothing yet\n'), env: {} }).config, defaultConfig);
});

test('the nearest file upward decides about the project', (context) => {
  const folder = project(context, 'servants: 3\n');
  const cwd = join(folder, 'a', 'b');
  mkdirSync(cwd, { recursive: true });
  const loaded = loadConfig({ cwd, env: {} });
  assert.deepEqual(loaded.project, { folder, file: join(folder, 'elders.yaml') });
  assert.equal(loaded.config.servants, 3);
  assert.equal(
    loaded.values.find(({ setting }) => setting.variable === 'ELDERS_SERVANTS')?.source,
    join('..', '..', 'elders.yaml'),
  );
});

test('without a file the nearest folder upward that has a tree is the project', (context) => {
  const folder = project(context);
  const cwd = join(folder, 'a');
  mkdirSync(join(folder, '.elders'));
  mkdirSync(cwd);
  assert.deepEqual(loadConfig({ cwd, env: {} }).project, { folder, file: null });
});

test('--project takes that very folder and looks no further', (context) => {
  const folder = project(context, 'servants: 3\n');
  mkdirSync(join(folder, 'inner'));
  const loaded = loadConfig({ cwd: folder, env: {}, project: 'inner' });
  assert.deepEqual(loaded.project, { folder: join(folder, 'inner'), file: null });
  assert.throws(() => loadConfig({ cwd: folder, env: {}, project: 'none' }), { code: 'usage' });
});

test('a flag goes before a variable, a variable before the file, the file before the default', (context) => {
  const cwd = project(context, 'portBase: 6000\nservants: 3\nlog: { level: warn }\ntasks: { lease: 1m }\n');
  const env = { ELDERS_PORT_BASE: '7000', ELDERS_SERVANTS: '4', ELDERS_TASKS_LEASE: '3m' };
  const { config, values } = loadConfig({ cwd, env, flags: { portBase: 8000, servants: undefined } });
  assert.equal(config.portBase, 8000);
  assert.equal(config.servants, 4);
  assert.equal(config.log.level, 'warn');
  assert.equal(config.tasks.lease, 180_000);
  const sources = Object.fromEntries(values.map(({ setting, source }) => [setting.path.join('.'), source]));
  assert.equal(sources.portBase, '--port-base');
  assert.equal(sources.servants, 'ELDERS_SERVANTS');
  assert.equal(sources['log.level'], 'elders.yaml');
  assert.equal(sources['tasks.killGrace'], 'default');
});

test('problems of the file are placed', (context) => {
  const at = (yaml: string) => reasonOf({ cwd: project(context, yaml), env: {} });
  assert.equal(at('porBase: 1\n'), 'elders.yaml:1:1: unknown key "porBase"; did you mean "portBase"?');
  assert.equal(at('tasks:\n  leese: 1m\n'), 'elders.yaml:2:3: unknown key "leese"; did you mean "lease"?');
  assert.equal(at('port_base: 1\n'), 'elders.yaml:1:1: unknown key "port_base"; did you mean "portBase"?');
  assert.equal(at('servants: 0\n'), 'elders.yaml:1:11: expected a number of at least 1');
  assert.match(at('tasks: { lease: 5 }\n'), /^elders\.yaml:1:17: expected text, got the number 5/);
  assert.match(at('tasks: { lease: soon }\n'), /^elders\.yaml:1:17: expected a duration/);
  assert.equal(
    at('redis: redis://host\n'),
    'elders.yaml:1:8: expected an address that starts with rediss://',
  );
  assert.equal(at('redis: { url: "rediss://h", cafile: x }\n'), 'elders.yaml:1:29: unknown key "cafile"');
  assert.equal(
    at('sandbox: bubblewrapp\nlog: { level: loud }\n').split('\n').length,
    2,
    'every problem is told at once',
  );
  assert.equal(at('a: 1\na: 2\n'), 'elders.yaml:2:1: this key stands in this mapping twice');
  assert.equal(at('- a\n'), 'elders.yaml:1:1: expected a mapping, got a list');
});

test('a file that cannot be read is a problem, not a missing one', (context) => {
  const cwd = project(context);
  mkdirSync(join(cwd, 'elders.yaml'));
  assert.match(reasonOf({ cwd, env: {} }), /^elders\.yaml cannot be read: EISDIR/);
});

test('problems of the environment name the variable', (context) => {
  const at = (env: NodeJS.ProcessEnv) => reasonOf({ cwd: project(context), env });
  assert.equal(at({ ELDERS_PORT_BASE: 'x' }), 'ELDERS_PORT_BASE: expected a number, got "x"');
  assert.equal(at({ ELDERS_SERVANTS: '0' }), 'ELDERS_SERVANTS: expected a number of at least 1');
  assert.match(at({ ELDERS_TASKS_LEASE: '5' }), /^ELDERS_TASKS_LEASE: expected a duration/);
  assert.match(at({ ELDERS_SANDBOX_NETWORK: 'yes' }), /^ELDERS_SANDBOX_NETWORK: expected true or false/);
  assert.equal(
    at({ ELDERS_PORTBASE: '1' }),
    'unknown variable "ELDERS_PORTBASE"; did you mean "ELDERS_PORT_BASE"?',
  );
  assert.equal(
    at({ ELDERS_TASK_LEASE: '1m' }),
    'unknown variable "ELDERS_TASK_LEASE"; did you mean "ELDERS_TASKS_LEASE"?',
  );
  assert.equal(at({ ELDERS_XYZZY: '1' }), 'unknown variable "ELDERS_XYZZY"');
});

test('variables that are no settings are known, and empty ones are as good as unset', (context) => {
  const env = {
    ELDERS_NODE: '/bin/node',
    ELDERS_TASK_ID: 'a',
    ELDERS_DIRECTIVE_ID: 'd',
    ELDERS_ATTEMPT: '1',
    ELDERS_SERVANTS: '',
  };
  assert.deepEqual(loadConfig({ cwd: project(context), env }).config, defaultConfig);
});

test('a problem of a flag names the flag', (context) => {
  assert.match(
    reasonOf({ cwd: project(context), env: {}, flags: { portBase: 80 } }),
    /^--port-base: expected a number of at least 1024/,
  );
});

test('a short redis address and variables that add to it make one setting', (context) => {
  const cwd = project(context, 'redis: rediss://admin:secret@host:6380\n');
  const { config, values } = loadConfig({ cwd, env: { ELDERS_REDIS_CA: 'ca.pem' } });
  assert.deepEqual(config.redis, { url: 'rediss://admin:secret@host:6380', ca: join(cwd, 'ca.pem') });
  const sources = values.filter(({ setting }) => setting.path[0] === 'redis').map(({ source }) => source);
  assert.deepEqual(sources, ['elders.yaml', 'ELDERS_REDIS_CA']);
});

test('paths are seen from the folder of the project', (context) => {
  const folder = project(context, 'sandboxWritable: [cache, ~/.npm, /var/cache]\n');
  const cwd = join(folder, 'deep');
  mkdirSync(cwd);
  const { config } = loadConfig({ cwd, env: {} });
  assert.deepEqual(config.sandboxWritable, [join(folder, 'cache'), join(homedir(), '.npm'), '/var/cache']);
  const fromEnvironment = loadConfig({ cwd, env: { ELDERS_SANDBOX_WRITABLE: '/a,b' } });
  assert.deepEqual(fromEnvironment.config.sandboxWritable, ['/a', join(folder, 'b')]);
});

test('a mapping stands in its variable as JSON', (context) => {
  const cwd = project(context);
  const env = { ELDERS_SUPERVISION_ELDERS: '{"rag_sage":{"restart":"transient","shutdown":"3s"}}' };
  assert.deepEqual(loadConfig({ cwd, env }).config.supervision.elders, {
    rag_sage: { restart: 'transient', shutdown: 3_000 },
  });
  assert.match(reasonOf({ cwd, env: { ELDERS_SUPERVISION_ELDERS: '{' } }), /expected a mapping, got "\{"/);
});
