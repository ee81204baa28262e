import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ApprovalRecord } from '../../src/protocol/approval.ts';
import type { AuditRecord } from '../../src/protocol/audit.ts';
import type { DirectiveRecord } from '../../src/protocol/directive.ts';
import type { AuditVerification } from '../../src/telemetry/audit/verify-audit.ts';
import { TestTree } from '../support/tree.ts';

let tree: TestTree;
before(async () => {
  tree = await TestTree.create({ servants: 1 });
  await tree.up();
});
after(() => tree.dispose());

const risky = { directive: 'Risky', risk: 'high', tasks: [{ id: 'a', run: 'true' }] };

/** Submits a directive that has to wait, and gives its record. */
async function submitRisky(): Promise<DirectiveRecord> {
  const { code, stdout, stderr } = await tree.cli(['directive', 'submit', '-', '--json'], {
    input: JSON.stringify(risky),
  });
  assert.equal(code, 6);
  const record = JSON.parse(stdout) as DirectiveRecord;
  assert.equal(record.state, 'waiting_approval');
  assert.match(stderr, new RegExp(`elders approve ${record.approval?.id}`));
  return record;
}

/** Reads the audit log until it holds what is meant: it comes there by way of Redis. */
async function audited(meant: (record: AuditRecord) => boolean): Promise<AuditRecord> {
  for (;;) {
    const { records } = await tree.json<{ records: AuditRecord[] }>(['audit', 'list']);
    const found = records.find(meant);
    if (found) return found;
  }
}

const forbidden = ['msg', 'send', 'knowledge_sage', 'sage.knowledge.store', '--payload'];
const draft = (key: string) => JSON.stringify({ key, title: 't', body: '', tags: [], directiveId: null });

test('what is risky waits, runs once when approved, and never when denied', async () => {
  const { id, approval } = await submitRisky();
  const waiting = await tree.json<{ approvals: ApprovalRecord[] }>(['approvals']);
  assert.deepEqual(
    waiting.approvals.map((each) => [each.id, each.directiveId]),
    [[approval?.id, id]],
  );
  const wrong = await tree.cli(['approve', id, '--digest', '0'.repeat(64), '--json']);
  assert.deepEqual([wrong.code, JSON.parse(wrong.stdout).error.code], [1, 'conflict']);
  assert.equal((await tree.json<ApprovalRecord>(['approve', id])).state, 'approved');
  assert.equal((await tree.waitFor(id)).state, 'completed');
  const again = await tree.cli(['approve', approval?.id as string, '--json']);
  assert.deepEqual([again.code, JSON.parse(again.stdout).error.code], [1, 'conflict']);

  const other = await submitRisky();
  await tree.json(['deny', other.approval?.id as string, '--reason', 'too late in the day']);
  const { state, reason } = await tree.waitFor(other.id);
  assert.deepEqual([state, reason], ['rejected', 'denied by the human: too late in the day']);

  const waited = await tree.cli(
    ['directive', 'submit', '-', '--wait', '--timeout', '8s', '--json', '--lang', 'ja'],
    {
      input: JSON.stringify(risky),
    },
  );
  assert.deepEqual([waited.code, JSON.parse(waited.stdout).error.code], [6, 'approval_required']);
  assert.match(waited.stderr, /承認を待っています/);
});

test('refusals, approvals and emergencies stand in the audit log, also those of a time without a manager', async () => {
  await tree.json(['emergency', 'halt', '--reason', 'smoke']);
  await tree.json(['emergency', 'resume']);
  assert.equal((await tree.cli([...forbidden, draft('x')])).code, 4);
  await audited(({ kind, event, subject }) => kind === 'denial' && event === 'send' && subject === 'gateway');
  await audited(({ event, reason }) => event === 'halt' && reason === 'smoke');
  await audited(({ kind, event }) => kind === 'approval' && event === 'denied');
  const verified = await tree.json<AuditVerification>(['audit', 'verify']);
  assert.deepEqual([verified.ok, verified.anchor !== null], [true, true]);

  await tree.killManager();
  assert.equal((await tree.cli(['emergency', 'halt', '--reason', 'nobody watches'])).code, 0);
  await tree.up();
  await audited(({ event, reason }) => event === 'halt' && reason === 'nobody watches');
  await tree.json(['emergency', 'resume']);
});

test('whoever changes the audit log is found out', async () => {
  const folder = join(tree.folder, '.elders', 'audit');
  const [name] = (await readdir(folder)).filter((each) => each.endsWith('.jsonl')).sort();
  const path = join(folder, name as string);
  const lines = (await readFile(path, 'utf8')).split('\n');
  const place = lines.findIndex((line) => line.includes('"denial"')) + 1;
  await writeFile(path, lines.toSpliced(place - 1, 1).join('\n'));
  const { code, stdout } = await tree.cli(['audit', 'verify']);
  assert.equal(code, 1);
  assert.match(stdout, new RegExp(`${name}:${place} +removed`));
});
