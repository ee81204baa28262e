import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandTable } from '../../src/cli/command-table.ts';
import { callElders, temporaryFolder } from './elders-command.ts';

interface Case {
  readonly args: readonly string[];
  readonly code: number;
  readonly error: string;
  readonly reason: RegExp;
  readonly input?: string;
}

const good = 'directive: x\ntasks:\n  - { id: a, run: "true" }\n';
const submit = ['directive', 'submit', '-'];

/** Bad input for every command, and good input where no tree runs. */
const cases: readonly Case[] = [
  { args: ['frobnicate'], code: 2, error: 'usage', reason: /unknown command 'frobnicate'/ },
  { args: ['statu'], code: 2, error: 'usage', reason: /Did you mean status/ },
  { args: ['status', '--frob'], code: 2, error: 'usage', reason: /unknown option '--frob'/ },
  { args: ['status', 'extra'], code: 2, error: 'usage', reason: /too many arguments/ },
  { args: ['status', '--lang', 'fr'], code: 2, error: 'usage', reason: /--lang: expected one of en, ja/ },
  { args: ['status', '--project', ''], code: 2, error: 'usage', reason: /is empty/ },
  { args: ['status', '--project', 'nowhere'], code: 2, error: 'usage', reason: /nowhere is not a folder/ },
  { args: ['up', '--wait'], code: 2, error: 'usage', reason: /--wait goes with --detach/ },
  {
    args: ['up', '--port-base', 'x'],
    code: 2,
    error: 'usage',
    reason: /--port-base: expected a whole number/,
  },
  {
    args: ['up', '--port-base', '80'],
    code: 2,
    error: 'config_invalid',
    reason: /--port-base: .* at least 1024/,
  },
  {
    args: ['up', '-d', '--servants', '0'],
    code: 2,
    error: 'config_invalid',
    reason: /--servants: .* at least 1/,
  },
  { args: ['down', 'x'], code: 2, error: 'usage', reason: /too many arguments/ },
  { args: ['directive'], code: 2, error: 'usage', reason: /a command is missing/ },
  { args: ['directive', 'submit'], code: 2, error: 'usage', reason: /missing required argument 'file'/ },
  { args: ['directive', 'submit', 'none.yaml'], code: 2, error: 'usage', reason: /no such file/ },
  { args: ['directive', 'submit', '.'], code: 2, error: 'usage', reason: /it is a folder/ },
  {
    args: [...submit, '--timeout', '10'],
    code: 2,
    error: 'usage',
    reason: /--timeout: expected a duration/,
    input: good,
  },
  {
    args: submit,
    code: 2,
    error: 'directive_invalid',
    reason: /^standard input:1:1: expected a mapping/,
    input: '',
  },
  {
    args: submit,
    code: 2,
    error: 'directive_invalid',
    reason: /^standard input:4:12: there is no task "b"$/,
    input: 'directive: x\ntasks:\n  - id: a\n    needs: b\n    run: x\n',
  },
  {
    args: submit,
    code: 2,
    error: 'directive_invalid',
    reason: /^standard input:4:1: the workspace .*nowhere does not exist$/,
    input: `${good}workspace: nowhere\n`,
  },
  {
    args: submit,
    code: 2,
    error: 'directive_invalid',
    reason: /^standard input:4:1: the workspace .*a-file is not a folder$/,
    input: `${good}workspace: a-file\n`,
  },
  {
    args: submit,
    code: 1,
    error: 'too_large',
    reason: /a message has at most/,
    input: `directive: x\ntasks:\n${Array.from({ length: 40 }, (_, i) => `  - { id: t${i}, run: "${'x'.repeat(40_000)}" }\n`).join('')}`,
  },
  { args: submit, code: 3, error: 'not_running', reason: /no tree runs/, input: good },
  { args: ['directive', 'list', '--limit', '0'], code: 2, error: 'usage', reason: /from 1 to 1000/ },
  { args: ['directive', 'list'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['directive', 'show'], code: 2, error: 'usage', reason: /missing required argument 'id'/ },
  { args: ['directive', 'show', 'd1'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['directive', 'cancel'], code: 2, error: 'usage', reason: /missing required argument 'id'/ },
  { args: ['directive', 'cancel', 'd1'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['ask'], code: 2, error: 'usage', reason: /missing required argument 'sage'/ },
  { args: ['ask', 'knowlege', 'x'], code: 2, error: 'usage', reason: /did you mean "knowledge"/ },
  { args: ['ask', 'knowledge'], code: 2, error: 'usage', reason: /the question is missing/ },
  { args: ['ask', 'task', ' '], code: 2, error: 'usage', reason: /the id of a directive is missing/ },
  { args: ['ask', 'incident', 'x'], code: 2, error: 'usage', reason: /takes no question/ },
  { args: ['ask', 'incident'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['msg'], code: 2, error: 'usage', reason: /a command is missing/ },
  {
    args: ['msg', 'send', 'task_sage'],
    code: 2,
    error: 'usage',
    reason: /missing required argument 'action'/,
  },
  {
    args: ['msg', 'send', 'task_sag', 'elder.ping'],
    code: 2,
    error: 'usage',
    reason: /did you mean "task_sage"/,
  },
  {
    args: ['msg', 'send', 'task_sage', 'elder.pin'],
    code: 2,
    error: 'usage',
    reason: /did you mean "elder.ping"/,
  },
  {
    args: ['msg', 'send', 'task_sage', 'elder.ping', '--payload', '{'],
    code: 2,
    error: 'usage',
    reason: /not JSON/,
  },
  {
    args: ['msg', 'send', 'task_sage', 'elder.ping', '--payload', '[]'],
    code: 2,
    error: 'usage',
    reason: /not a JSON object/,
  },
  {
    args: ['msg', 'send', 'task_sage', 'elder.ping', '--priority', '11'],
    code: 2,
    error: 'usage',
    reason: /from 1 to 10/,
  },
  {
    args: ['msg', 'send', 'grand_elder_maru', 'elder.ping'],
    code: 3,
    error: 'not_running',
    reason: /no tree runs/,
  },
  { args: ['msg', 'show'], code: 2, error: 'usage', reason: /missing required argument 'id'/ },
  { args: ['msg', 'show', 'm1'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['directive', 'report', 'd1'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['describe'], code: 2, error: 'usage', reason: /missing required argument 'name'/ },
  { args: ['top', '--interval', 'soon'], code: 2, error: 'usage', reason: /--interval/ },
  { args: ['restart'], code: 2, error: 'usage', reason: /./ },
  { args: ['scale', 'servant'], code: 2, error: 'usage', reason: /servant: expected NAME=N or NAME=auto/ },
  { args: ['scale', 'a=1', 'a=2'], code: 2, error: 'usage', reason: /a is named twice/ },
  { args: ['scale', 'servant=4'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['reload'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['export'], code: 2, error: 'usage', reason: /missing required argument 'system'/ },
  { args: ['task', 'clean', 'a', 'b'], code: 2, error: 'usage', reason: /too many arguments/ },
  { args: ['task', 'list'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['task', 'list', '--state', 'done'], code: 2, error: 'usage', reason: /no state "done"/ },
  { args: ['task', 'logs', 'd1'], code: 2, error: 'usage', reason: /DIRECTIVE\/TASK/ },
  { args: ['task', 'show', 'd1'], code: 2, error: 'usage', reason: /DIRECTIVE\/TASK/ },
  { args: ['task', 'graph', 'd1', '--format', 'png'], code: 2, error: 'usage', reason: /--format/ },
  {
    args: ['task', 'add', 'd1', '-'],
    code: 2,
    error: 'directive_invalid',
    reason: /the list may not be empty/,
    input: 'tasks: []',
  },
  { args: ['task', 'retry', 'd1'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['task', 'cancel', 'd1'], code: 2, error: 'usage', reason: /DIRECTIVE\/TASK/ },
  { args: ['task', 'pause', 'd1/a'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['task', 'resume', 'd1/a/b'], code: 2, error: 'usage', reason: /DIRECTIVE\/TASK/ },
  { args: ['rag', 'index'], code: 2, error: 'usage', reason: /missing required argument 'path'/ },
  { args: ['rag', 'index', 'absent'], code: 1, error: 'not_found', reason: /absent cannot be read/ },
  { args: ['rag', 'search', 'x', '--limit', '51'], code: 2, error: 'usage', reason: /--limit/ },
  { args: ['rag', 'search', 'x'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['rag', 'context', 'x', '--budget', '1'], code: 2, error: 'usage', reason: /--budget/ },
  { args: ['rag', 'status'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['rag', 'forget', 'x'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['knowledge', 'add'], code: 2, error: 'usage', reason: /the title is missing/ },
  {
    args: ['knowledge', 'add', '--title', 'x', '--kind', 'leson'],
    code: 2,
    error: 'usage',
    reason: /"lesson"/,
  },
  {
    args: ['knowledge', 'add', '--title', 'x', '--confidence', '2'],
    code: 2,
    error: 'usage',
    reason: /0 to 1/,
  },
  { args: ['knowledge', 'edit', 'x'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['knowledge', 'show', 'x'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['knowledge', 'history'], code: 2, error: 'usage', reason: /missing required argument 'id'/ },
  { args: ['knowledge', 'list', '--limit', '501'], code: 2, error: 'usage', reason: /--limit/ },
  { args: ['knowledge', 'search', '障害'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['knowledge', 'forget'], code: 2, error: 'usage', reason: /missing required argument 'id'/ },
  { args: ['knowledge', 'forget', 'x'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['knowledge', 'import', 'absent'], code: 2, error: 'usage', reason: /absent is not a folder/ },
  { args: ['knowledge', 'export', 'x'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['dlq', 'list'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['dlq', 'list', '--limit', '0'], code: 2, error: 'usage', reason: /--limit/ },
  { args: ['dlq', 'show', 'm1'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['dlq', 'replay'], code: 2, error: 'usage', reason: /missing required argument 'id'/ },
  { args: ['dlq', 'replay', 'm1'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['dlq', 'discard', 'm1'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['emergency', 'halt'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['emergency', 'resume', 'a', 'b'], code: 2, error: 'usage', reason: /too many arguments/ },
  { args: ['approvals'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['approve', 'a1'], code: 3, error: 'not_running', reason: /no tree runs/ },
  { args: ['deny'], code: 2, error: 'usage', reason: /missing required argument 'id'/ },
  { args: ['auth', 'can-i', 'elder.ping'], code: 2, error: 'usage', reason: /--as NAME is missing/ },
  {
    args: ['auth', 'can-i', 'elder.pin', '--as', 'human'],
    code: 2,
    error: 'usage',
    reason: /did you mean "elder.ping"/,
  },
  {
    args: ['auth', 'can-i', 'elder.ping', '--as', 'task_sag'],
    code: 2,
    error: 'usage',
    reason: /did you mean "task_sage"/,
  },
  { args: ['auth', 'matrix', 'x'], code: 2, error: 'usage', reason: /too many arguments/ },
  { args: ['audit', 'list', '--kind', 'denials'], code: 2, error: 'usage', reason: /did you mean "denial"/ },
  { args: ['audit', 'list', '--since', 'lately'], code: 2, error: 'usage', reason: /--since: expected/ },
  { args: ['audit', 'verify', 'x'], code: 2, error: 'usage', reason: /too many arguments/ },
  { args: ['logs', 'nobody'], code: 2, error: 'usage', reason: /no process "nobody"/ },
  { args: ['logs', '--level', 'loud'], code: 2, error: 'usage', reason: /--level: expected one of/ },
  { args: ['logs', '-n', '-1'], code: 2, error: 'usage', reason: /--lines: expected a whole number/ },
  { args: ['trace'], code: 2, error: 'usage', reason: /missing required argument 'id'/ },
  { args: ['trace', 'd1'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['health'], code: 2, error: 'usage', reason: /missing required argument/ },
  { args: ['health', 'task_sage'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['cert', 'list', 'x'], code: 2, error: 'usage', reason: /too many arguments/ },
  { args: ['cert', 'list'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['cert', 'rotate'], code: 2, error: 'usage', reason: /--all, or --ca/ },
  { args: ['cert', 'rotate', 'redis', '--ca'], code: 2, error: 'usage', reason: /name one process/ },
  { args: ['cert', 'rotate', '--all'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['cert', 'revoke'], code: 2, error: 'usage', reason: /missing required argument/ },
  { args: ['cert', 'revoke', 'redis'], code: 3, error: 'not_running', reason: /no manager runs/ },
  { args: ['doctor', 'x'], code: 2, error: 'usage', reason: /too many arguments/ },
  { args: ['config', 'print', 'x'], code: 2, error: 'usage', reason: /too many arguments/ },
  { args: ['config', 'prin'], code: 2, error: 'usage', reason: /unknown command/ },
];

test('every command is covered', () => {
  for (const { path } of commandTable) {
    assert.ok(
      cases.some(({ args }) => args.join(' ').startsWith(path)),
      path,
    );
  }
});

for (const { args, code, error, reason, input } of cases) {
  test(`elders ${args.join(' ')} ${input === undefined ? '' : `< ${JSON.stringify(input.slice(0, 40))}`} is ${error}`, async (context) => {
    const cwd = temporaryFolder(context);
    writeFileSync(join(cwd, 'a-file'), '');
    const options = { cwd, ...(input === undefined ? {} : { input }) };
    const result = await callElders([...args, '--json'], options);
    assert.equal(result.code, code, result.stderr);
    const document = JSON.parse(result.stdout) as { error: Record<string, unknown> };
    assert.deepEqual(Object.keys(document), ['error']);
    assert.equal(document.error.code, error);
    assert.match(String(document.error.reason), reason);
    for (const key of ['message', 'next']) assert.equal(typeof document.error[key], 'string');
    assert.match(result.stderr, new RegExp(`error ${error}: `));
  });
}

test('without --json an error leaves standard output empty and is told in the language asked for', async (context) => {
  const cwd = temporaryFolder(context);
  const english = await callElders(['trace', 'd1'], { cwd });
  assert.equal(english.stdout, '');
  assert.match(english.stderr, /^error not_running: The tree is not running/);
  const japanese = await callElders(['trace', 'd1'], { cwd, env: { LANG: 'ja_JP.UTF-8' } });
  assert.match(japanese.stderr, /^エラー not_running: ツリー、または応答するプロセスが動いていません。/);
  const flag = await callElders(['trace', 'd1', '--lang', 'en'], { cwd, env: { LANG: 'ja_JP.UTF-8' } });
  assert.equal(flag.stderr, english.stderr);
});

test('the language of the configuration is spoken', async (context) => {
  const cwd = temporaryFolder(context);
  writeFileSync(join(cwd, 'elders.yaml'), 'language: ja\n');
  assert.match((await callElders(['down'], { cwd })).stdout, /何も動いていません/);
});

test('a broken configuration stops what needs it, with its place, and nothing else', async (context) => {
  const cwd = temporaryFolder(context);
  writeFileSync(join(cwd, 'elders.yaml'), 'servants: 2\nporBase: 1\n');
  mkdirSync(join(cwd, 'sub'));
  for (const args of [['up'], ['up', '-d'], ['config', 'print']]) {
    const { code, stderr } = await callElders(args, { cwd: join(cwd, 'sub') });
    assert.equal(code, 2);
    assert.match(stderr, /\.\.\/elders\.yaml:2:1: unknown key "porBase"; did you mean "portBase"\?/);
  }
  assert.equal((await callElders(['down'], { cwd })).code, 0);
  const doctor = JSON.parse((await callElders(['doctor', '--json'], { cwd })).stdout);
  assert.equal(doctor.ok, false);
  assert.equal(doctor.checks.find((check: { name: string }) => check.name === 'config').state, 'fail');
});

test('status and down of a tree that never was', async (context) => {
  const cwd = temporaryFolder(context);
  const status = await callElders(['status', '--json'], { cwd });
  assert.equal(status.code, 3);
  const document = JSON.parse(status.stdout);
  assert.equal(document.schemaVersion, 1);
  assert.equal(document.state, 'stopped');
  assert.deepEqual(document.elders, []);
  const down = await callElders(['down', '--json'], { cwd });
  assert.equal(down.code, 0);
  assert.deepEqual(JSON.parse(down.stdout), { stopped: false, manager: false, orphans: [] });
});

test('config print tells values and sources and hides passwords', async (context) => {
  const cwd = temporaryFolder(context);
  writeFileSync(join(cwd, 'elders.yaml'), 'redis: rediss://admin:s3cret@host:6380\n');
  const env = { ELDERS_PORT_BASE: '7000' };
  const { code, stdout } = await callElders(['config', 'print', '--json'], { cwd, env });
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /s3cret/);
  const document = JSON.parse(stdout);
  assert.equal(document.config.redis, 'rediss://admin:***@host:6380');
  assert.deepEqual(document.settings[0], { key: 'portBase', value: 7000, source: 'ELDERS_PORT_BASE' });
  const human = await callElders(['config', 'print'], { cwd, env });
  assert.match(human.stdout, /^portBase +7000 +ELDERS_PORT_BASE$/m);
  assert.doesNotMatch(human.stdout, /s3cret/);
});

test('help stands in both languages and goes to standard output', async (context) => {
  const cwd = temporaryFolder(context);
  for (const { path } of commandTable) {
    const { code, stdout, stderr } = await callElders([...path.split(' '), '--help'], { cwd });
    assert.equal(code, 0, path);
    assert.equal(stderr, '');
    assert.match(stdout, new RegExp(`^Usage: elders ${path}`));
  }
  const japanese = await callElders(['help', 'directive', 'submit', '--lang', 'ja'], { cwd });
  assert.match(japanese.stdout, /使い方: elders directive/);
});

test('a reader that closes early is no error', async (context) => {
  const cwd = temporaryFolder(context);
  const { startElders } = await import('./elders-command.ts');
  const child = startElders(['config', 'print'], { cwd });
  child.stdout?.destroy();
  let stderr = '';
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  const { once } = await import('node:events');
  await once(child, 'close');
  assert.deepEqual([child.exitCode, stderr], [0, '']);
});
