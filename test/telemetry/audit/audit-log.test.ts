import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AuditEntry, AuditHead } from '../../../src/protocol/audit.ts';
import { AuditLog } from '../../../src/telemetry/audit/audit-log.ts';
import { readAudit } from '../../../src/telemetry/audit/read-audit.ts';
import { verifyAudit } from '../../../src/telemetry/audit/verify-audit.ts';

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'et-audit-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'audit');
}

const entry = (index: number): AuditEntry => ({
  kind: 'emergency',
  event: 'halt',
  by: 'grand_elder',
  subject: 'gateway',
  reason: `because ${index}`,
});

/** A log of `count` records; gives its last head. */
async function fill(folder: string, count: number, maxBytes = 1_000_000): Promise<AuditHead> {
  const log = await AuditLog.open({ folder, maxBytes });
  log.begin(null);
  for (let index = 1; index <= count; index += 1) await log.append([entry(index)]);
  await log.close();
  return log.head;
}

async function onlySegment(folder: string): Promise<string> {
  const [name] = await readdir(folder);
  return join(folder, name as string);
}

/** Rewrites the lines of the only segment. */
async function tamper(folder: string, change: (lines: string[]) => string[]): Promise<void> {
  const path = await onlySegment(folder);
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  await writeFile(path, `${change(lines).join('\n')}\n`);
}

test('what is appended stands in the log in order, in files for the owner alone, and verifies', async (t) => {
  const folder = await temporaryFolder(t);
  const head = await fill(folder, 5);
  const records = await readAudit(folder);
  assert.deepEqual(
    records.map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  );
  assert.equal(records[4]?.hash, head.hash);
  assert.equal((await stat(await onlySegment(folder))).mode & 0o777, 0o600);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  const found = await verifyAudit(folder, head);
  assert.deepEqual(
    { ok: found.ok, records: found.records, problems: found.problems },
    { ok: true, records: 5, problems: [] },
  );
});

test('the chain goes on over segments and restarts of the writer', async (t) => {
  const folder = await temporaryFolder(t);
  await fill(folder, 10, 900);
  const head = await fill(folder, 10, 900);
  const found = await verifyAudit(folder, head);
  assert.ok(found.segments > 3, `${found.segments} segments`);
  assert.deepEqual({ ok: found.ok, records: found.records }, { ok: true, records: 20 });
  assert.deepEqual(
    (await readAudit(folder, { limit: 3 })).map(({ seq }) => seq),
    [18, 19, 20],
  );
});

const attacks: readonly {
  name: string;
  change: (lines: string[]) => string[];
  kinds: string[];
  line: number | null;
  seq: number;
}[] = [
  {
    name: 'a changed line',
    change: (lines) => lines.with(4, (lines[4] as string).replace('because 5', 'because 6')),
    kinds: ['changed'],
    line: 5,
    seq: 5,
  },
  {
    name: 'the same value written in other bytes',
    change: (lines) => lines.with(4, (lines[4] as string).replace('"kind":', '"kind": ')),
    kinds: ['changed'],
    line: 5,
    seq: 5,
  },
  { name: 'a removed line', change: (lines) => lines.toSpliced(4, 1), kinds: ['removed'], line: 5, seq: 5 },
  {
    name: 'two lines in the wrong order',
    change: (lines) => lines.with(4, lines[5] as string).with(5, lines[4] as string),
    kinds: ['reordered'],
    line: 6,
    seq: 5,
  },
  {
    name: 'a line put in',
    change: (lines) => lines.toSpliced(4, 0, '{}'),
    kinds: ['changed'],
    line: 5,
    seq: 5,
  },
  {
    name: 'a line that stands twice',
    change: (lines) => lines.toSpliced(6, 0, lines[4] as string),
    kinds: ['repeated'],
    line: 7,
    seq: 5,
  },
  { name: 'the end cut off', change: (lines) => lines.slice(0, 8), kinds: ['truncated'], line: null, seq: 9 },
  {
    name: 'a changed last line',
    change: (lines) => lines.with(9, 'x'),
    kinds: ['changed'],
    line: 10,
    seq: 10,
  },
  { name: 'the beginning cut off', change: (lines) => lines.slice(2), kinds: ['removed'], line: 1, seq: 1 },
];

for (const { name, change, kinds, line, seq } of attacks) {
  test(`verify names ${name}`, async (t) => {
    const folder = await temporaryFolder(t);
    const head = await fill(folder, 10);
    await tamper(folder, change);
    const found = await verifyAudit(folder, head);
    assert.equal(found.ok, false);
    assert.deepEqual(
      found.problems.map(({ kind }) => kind),
      kinds,
    );
    assert.deepEqual({ line: found.problems[0]?.line, seq: found.problems[0]?.seq }, { line, seq });
  });
}

test('a line whose hash was made anew is named, because the next was written after another one', async (t) => {
  const folder = await temporaryFolder(t);
  const other = await temporaryFolder(t);
  const head = await fill(folder, 10);
  // A log that differs in its fifth record, whose hash is therefore right for its bytes.
  const log = await AuditLog.open({ folder: other });
  log.begin(null);
  for (let index = 1; index <= 5; index += 1) await log.append([entry(index === 5 ? 50 : index)]);
  await log.close();
  const forged = (await readFile(await onlySegment(other), 'utf8')).split('\n')[4] as string;
  await tamper(folder, (lines) => lines.with(4, forged));
  const found = await verifyAudit(folder, head);
  assert.deepEqual(
    found.problems.map(({ kind }) => kind),
    ['changed', 'changed'].slice(0, found.problems.length),
  );
  assert.ok(found.problems.length > 0);
});

test('a whole log made anew is noticed by the anchor, and without the anchor nothing is: what it guards', async (t) => {
  const folder = await temporaryFolder(t);
  const head = await fill(folder, 10);
  await rm(folder, { recursive: true });
  await fill(folder, 10);
  assert.deepEqual(
    (await verifyAudit(folder, head)).problems.map(({ kind }) => kind),
    ['changed'],
  );
  assert.equal((await verifyAudit(folder, null)).ok, true);
  await tamper(folder, (lines) => lines.slice(0, 8));
  assert.equal(
    (await verifyAudit(folder, null)).ok,
    true,
    'without its anchor a log that was cut short looks whole',
  );
  assert.equal((await verifyAudit(folder, head)).ok, false);
});

test('a line that a crash cut short is taken out, recorded, and the chain holds', async (t) => {
  const folder = await temporaryFolder(t);
  const before = await fill(folder, 3);
  await appendFile(await onlySegment(folder), '{"seq":4,"kind":"emer');
  assert.equal((await verifyAudit(folder, before)).unfinishedBytes, 21);
  const log = await AuditLog.open({ folder });
  log.begin(before);
  await log.append([entry(4)]);
  await log.close();
  const found = await verifyAudit(folder, log.head);
  assert.deepEqual({ ok: found.ok, unfinished: found.unfinishedBytes }, { ok: true, unfinished: 0 });
  const records = await readAudit(folder);
  assert.deepEqual(
    records.map(({ event }) => event),
    ['halt', 'halt', 'halt', 'repaired', 'halt'],
  );
  assert.equal(records[3]?.detail?.beginning, '{"seq":4,"kind":"emer');
});

test('a writer that finds its log shorter than the anchor goes on from the anchor: the gap stays visible', async (t) => {
  const folder = await temporaryFolder(t);
  const before = await fill(folder, 10);
  await tamper(folder, (lines) => lines.slice(0, 7));
  const log = await AuditLog.open({ folder });
  assert.equal(log.begin(before), false);
  await log.append([entry(11)]);
  await log.close();
  const found = await verifyAudit(folder, log.head);
  assert.deepEqual(
    found.problems.map(({ kind, seq, lastSeq }) => ({ kind, seq, lastSeq })),
    [{ kind: 'removed', seq: 8, lastSeq: 10 }],
  );
  assert.deepEqual(
    (await readAudit(folder)).slice(-2).map(({ seq, event }) => [seq, event]),
    [
      [11, 'truncated'],
      [12, 'halt'],
    ],
  );
});

test('equal denials of one moment are one line that counts them; others are not folded', async (t) => {
  const folder = await temporaryFolder(t);
  const log = await AuditLog.open({ folder });
  const denial: AuditEntry = { kind: 'denial', event: 'refused', by: 'task_sage', subject: 'servant_1' };
  for (let index = 0; index < 500; index += 1) log.record({ ...denial, at: index });
  log.record({ ...denial, subject: 'servant_2' });
  log.record(entry(1));
  log.record(entry(1));
  log.begin(null);
  await log.close();
  const records = await readAudit(folder);
  assert.deepEqual(
    records.map(({ kind, subject, count, at, lastAt }) => ({
      kind,
      subject,
      count,
      ...(count > 1 && { at, lastAt }),
    })),
    [
      { kind: 'denial', subject: 'servant_1', count: 500, at: 0, lastAt: 499 },
      { kind: 'denial', subject: 'servant_2', count: 1 },
      { kind: 'emergency', subject: 'gateway', count: 1 },
      { kind: 'emergency', subject: 'gateway', count: 1 },
    ],
  );
});

test('an entry that does not fit is recorded as such, and a text that is too long is cut', async (t) => {
  const folder = await temporaryFolder(t);
  const log = await AuditLog.open({ folder });
  log.begin(null);
  log.record({ kind: 'denial', event: '', by: 'x', reason: 'y'.repeat(9_000) });
  log.record({ kind: 'denial', event: 'refused', by: 'x', reason: 'line\nbreak' });
  await log.close();
  const records = await readAudit(folder);
  assert.deepEqual(
    records.map(({ event }) => event),
    ['malformed', 'refused'],
  );
  assert.equal((await verifyAudit(folder, log.head)).ok, true);
});

test('a file that is changed or removed while the writer lives is noticed with the next record', async (t) => {
  const folder = await temporaryFolder(t);
  const told: string[] = [];
  const log = await AuditLog.open({ folder, onTampered: (reason) => told.push(reason) });
  log.begin(null);
  await log.append([entry(1)]);
  await log.append([entry(2)]);
  await tamper(folder, (lines) => lines.slice(0, 1));
  await log.append([entry(3)]);
  assert.equal(told.length, 1);
  await rm(join(folder, (await readdir(folder)).sort()[1] as string));
  await log.append([entry(4)]);
  await log.close();
  assert.equal(told.length, 2);
  const { problems } = await verifyAudit(folder, log.head);
  assert.deepEqual(
    problems.map(({ kind, seq, lastSeq }) => [kind, seq, lastSeq]),
    [['removed', 2, 4]],
  );
  assert.deepEqual(
    (await readAudit(folder)).map(({ event }) => event),
    ['halt', 'tampered', 'halt'],
  );
});
