import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { AuditLog } from '../../src/telemetry/audit/audit-log.ts';
import { callElders } from './elders-command.ts';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'et-rights-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('can-i answers without a tree: the rule in words and the answer as exit code', async (t) => {
  const cwd = await folderFor(t);
  const cases: [string[], number, RegExp][] = [
    [['sage.task.create', '--as', 'claude_elder'], 0, /claude_elder holds sage\.\*/],
    [['sage.task.create', '--as', 'claude_elder', '--on-behalf-of', 'servant_2'], 0, /claude_elder holds/],
    [
      ['sage.knowledge.search', '--as', 'claude_elder', '--on-behalf-of', 'human,grand_elder'],
      0,
      /so does each of gateway/,
    ],
    [
      ['sage.knowledge.search', '--as', 'claude_elder', '--on-behalf-of', 'servant_2'],
      4,
      /behalf of servant_2/,
    ],
    [['sage.task.create', '--as', 'servant_1'], 4, /no edge from servant_1/],
    [
      ['sage.task.create', '--as', 'grand_elder_maru', '--to', 'task_sage'],
      4,
      /no edge grand_elder → task_sage/,
    ],
    [['approval.decide', '--as', 'human'], 0, /gateway holds approval/],
  ];
  for (const [args, code, rule] of cases) {
    const result = await callElders(['auth', 'can-i', ...args, '--json'], { cwd });
    const document = JSON.parse(result.stdout) as { allowed: boolean; rule: string };
    assert.deepEqual([result.code, document.allowed], [code, code === 0], args.join(' '));
    assert.match(document.rule, rule);
  }
});

test('the matrix says the same as can-i', async (t) => {
  const cwd = await folderFor(t);
  const { stdout } = await callElders(['auth', 'matrix', '--json'], { cwd });
  const { rights } = JSON.parse(stdout) as { rights: { from: string; to: string; action: string }[] };
  assert.ok(rights.some(({ from, action }) => from === 'claude_elder' && action === 'sage.task.create'));
  assert.ok(!rights.some(({ from, to }) => from === 'servant_1' && to === 'grand_elder'));
  assert.match((await callElders(['auth', 'matrix', '--lang', 'ja'], { cwd })).stdout, /権限/);
});

test('the audit log is listed and checked without a tree, which says what it cannot see', async (t) => {
  const cwd = await folderFor(t);
  const none = await callElders(['audit', 'list'], { cwd });
  assert.match(none.stdout, /holds nothing/);
  const log = await AuditLog.open({ folder: stateFolder(cwd).audit });
  log.begin(null);
  const at = Date.now() - 3_600_000;
  log.record({ kind: 'denial', event: 'send', by: 'task_sage', subject: 'servant_1', reason: 'old', at });
  log.record({ kind: 'denial', event: 'send', by: 'task_sage', subject: 'servant_1', reason: 'a\u001b[2Jb' });
  log.record({ kind: 'emergency', event: 'halt', by: 'grand_elder' });
  await log.close();
  const list = async (...args: string[]) => {
    const { stdout } = await callElders(['audit', 'list', '--json', ...args], { cwd });
    return (JSON.parse(stdout) as { records: { seq: number }[] }).records.map(({ seq }) => seq);
  };
  assert.deepEqual(await list(), [1, 2, 3]);
  assert.deepEqual(await list('--kind', 'denial'), [1, 2]);
  assert.deepEqual(await list('--since', '30m'), [2, 3]);
  assert.deepEqual(await list('--limit', '1'), [3]);
  const human = await callElders(['audit', 'list'], { cwd });
  assert.ok(!human.stdout.includes('\u001b'), 'what was refused must not drive the terminal');
  const verified = await callElders(['audit', 'verify', '--lang', 'ja'], { cwd });
  assert.equal(verified.code, 0);
  assert.match(verified.stderr, /照合していません/);
});
