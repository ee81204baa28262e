import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { Broker } from '../../../src/messaging/broker.ts';
import { encodeMessage } from '../../../src/messaging/codec.ts';
import type { AuditRecord } from '../../../src/protocol/audit.ts';
import { type Config, configSchema } from '../../../src/protocol/config.ts';
import { sourcesOf } from '../../../src/protocol/edges.ts';
import { roster } from '../../../src/protocol/roster.ts';
import { readAuditAnchor } from '../../../src/supervision/audit/audit-anchor.ts';
import { TreeAudit } from '../../../src/supervision/audit/tree-audit.ts';
import { readAudit } from '../../../src/telemetry/audit/read-audit.ts';
import { verifyAudit } from '../../../src/telemetry/audit/verify-audit.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
before(async () => {
  redis = await startTestRedis();
});
after(() => redis.stop());

let folder: string;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'et-audit-'));
  folder = join(root, 'audit');
  await redis.admin.command(['DEL', redis.keys.auditHead]);
});

async function begin({
  config = redis.config,
  tampered = [],
}: {
  config?: Config;
  tampered?: string[];
} = {}): Promise<TreeAudit> {
  const log = createLogger({ name: 'm', file: join(root, 'm.log'), level: 'debug', maxBytes: 1e6, files: 1 });
  const onTampered = (reason: string) => void tampered.push(reason);
  const audit = await TreeAudit.open({ tree: redis.tree, folder, log, retryDelay: 20, onTampered });
  const sources = sourcesOf('auditor', roster(redis.servants));
  const connect = () => redis.brokerFor('auditor');
  await audit.begin({ redis: redis.admin, config, sources, connect });
  return audit;
}

const commits = new Map<Broker, number>();
let messages = 0;
const denial = (reason: string) => ({
  kind: 'denial',
  event: 'receive',
  subject: 'servant_2',
  reason,
  at: 5,
});

/** Sends to the auditor as the elder would, by its own broker. */
async function tell(
  broker: Broker,
  source: string,
  entries: object[],
  action = 'audit.report',
): Promise<void> {
  const number = (commits.get(broker) ?? (await broker.load()).commitNumber) + 1;
  commits.set(broker, number);
  messages += 1;
  const body = encodeMessage({
    message_id: `m-${messages}`,
    source_elder: source,
    target_elder: 'auditor',
    message_type: 'report',
    action,
    payload: { entries } as never,
    priority: 5,
    timestamp: new Date().toISOString(),
    requires_ack: false,
  });
  const send = [{ target: 'auditor', lane: 'control' as const, body }];
  const nothing = { set: new Map(), remove: new Set<string>(), positions: new Map(), journal: null };
  assert.deepEqual(await broker.commit({ number, send, ...nothing }), { kind: 'ok' });
}

const told = (records: readonly AuditRecord[]) =>
  records.filter(({ from }) => from).map(({ by, kind, reason }) => [by, kind, reason]);

async function tamper(change: (lines: string[]) => string[]): Promise<void> {
  const name = (await readdir(folder)).find((each) => each.endsWith('.jsonl')) as string;
  const lines = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');
  await writeFile(join(folder, name), `${change(lines).join('\n')}\n`);
}

test('what elders tell while no manager runs is recorded once, though the manager dies before it says so', async () => {
  const servant = await redis.brokerFor('servant_1');
  for (const reason of ['one', 'two', 'three']) await tell(servant, 'servant_1', [denial(reason)]);
  await (await begin()).close();
  const expected = ['one', 'two', 'three'].map((reason) => ['servant_1', 'denial', reason]);
  assert.deepEqual(told(await readAudit(folder)), expected);
  // As if it had died between the disk and the commit: Redis does not know how far the reading came.
  await redis.admin.command(['DEL', redis.keys.positions('auditor')]);
  await tell(servant, 'servant_1', [denial('four'), denial('five')]);
  await (await begin()).close();
  const all = [...expected, ...['four', 'five'].map((reason) => ['servant_1', 'denial', reason])];
  assert.deepEqual(told(await readAudit(folder)), all);
  assert.equal((await verifyAudit(folder, await readAuditAnchor(redis.admin, redis.keys))).ok, true);
  await rm(root, { recursive: true });
});

test('a servant that there could not be before is heard once it is known, from the first that it has told', async () => {
  const [old, late] = [await redis.brokerFor('servant_1'), await redis.brokerFor('servant_9')];
  await tell(old, 'servant_1', [denial('known')]);
  await tell(late, 'servant_9', [denial('early')]);
  await (await begin()).close();
  const unheard = [['servant_1', 'denial', 'known']];
  assert.deepEqual(told(await readAudit(folder)), unheard, 'the control: nobody reads what it tells');
  const audit = await begin();
  audit.widen(sourcesOf('auditor', roster(9)));
  await tell(late, 'servant_9', [denial('later')]);
  await audit.close();
  const heard = ['early', 'later'].map((reason) => ['servant_9', 'denial', reason]);
  assert.deepEqual(told(await readAudit(folder)), [...unheard, ...heard]);
  await rm(root, { recursive: true });
});

test('an elder speaks for itself, of denials; what is not its own to say is recorded as its denial', async () => {
  const servant = await redis.brokerFor('servant_1');
  const grand = await redis.brokerFor('grand_elder');
  const entry = { kind: 'approval', event: 'approved', subject: 'gateway' };
  await tell(grand, 'grand_elder', [{ ...entry, by: 'manager' }]);
  await tell(servant, 'servant_1', [
    entry,
    { ...denial('mine'), by: 'task_sage', from: { edge: 'x', entry: '1-1' } },
  ]);
  await tell(servant, 'servant_2', [denial('forged')]);
  await tell(servant, 'servant_1', [denial('other action')], 'elder.ping');
  await tell(servant, 'servant_1', [{ kind: 'denial' }]);
  await (await begin()).close();
  const records = await readAudit(folder);
  const by = (name: string) => records.filter((record) => record.by === name && record.from);
  assert.deepEqual(
    by('grand_elder').map(({ kind }) => kind),
    ['approval'],
  );
  assert.deepEqual(
    by('servant_1').map(({ kind, reason }) => [kind, reason]),
    [['denial', 'mine']],
  );
  const refusals = by('auditor').map(({ kind, subject }) => [kind, subject]);
  assert.deepEqual(refusals, Array(4).fill(['denial', 'servant_1']));
  assert.match(by('auditor')[0]?.reason ?? '', /may not speak of kind approval/);
  assert.match(by('auditor')[1]?.reason ?? '', /stands in the edge of servant_1 but names servant_2/);
  await rm(root, { recursive: true });
});

test('no elder can write the anchor, and a log cut short is told at the next start and stays visible', async () => {
  const first = await begin();
  first.record({ kind: 'emergency', event: 'halt', by: 'manager' });
  first.record({ kind: 'emergency', event: 'resume', by: 'manager' });
  await first.close();
  const anchor = await readAuditAnchor(redis.admin, redis.keys);
  assert.equal(anchor?.seq, 3);
  for (const name of ['grand_elder', 'servant_1', 'auditor']) {
    const { username } = await redis.createIncarnation(name);
    const dryRun = ['ACL', 'DRYRUN', username, 'HSET', redis.keys.auditHead, 'seq', '1'];
    assert.notEqual(await redis.admin.command(dryRun), 'OK', name);
  }
  await tamper((lines) => lines.slice(0, 2));
  assert.equal((await verifyAudit(folder, anchor)).problems[0]?.kind, 'truncated');
  const tampered: string[] = [];
  await (await begin({ tampered })).close();
  assert.equal(tampered.length, 1);
  const { problems } = await verifyAudit(folder, await readAuditAnchor(redis.admin, redis.keys));
  assert.deepEqual(
    problems.map(({ kind, seq }) => [kind, seq]),
    [['removed', 3]],
  );
  await rm(root, { recursive: true });
});

test('a changed configuration is recorded with what changed, and without its secrets', async () => {
  const config = configSchema.parse({ redis: 'rediss://admin:hunter2@host:1' });
  await (await begin({ config })).close();
  await (await begin({ config })).close();
  const other = configSchema.parse({ redis: 'rediss://admin:hunter3@host:1', sandbox: 'none' });
  await (await begin({ config: other })).close();
  const records = await readAudit(folder, { kind: 'configuration' });
  assert.deepEqual(
    records.map(({ event, reason }) => [event, reason]),
    [
      ['first', null],
      ['changed', 'redis, sandbox'],
    ],
  );
  const changed = records[1]?.detail?.changed as Record<string, unknown>;
  assert.deepEqual(changed.sandbox, { from: 'bubblewrap', to: 'none' });
  assert.doesNotMatch(JSON.stringify(records), /hunter/);
  await rm(root, { recursive: true });
});
