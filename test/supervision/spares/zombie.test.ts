import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createIncarnation, type GuardName, loadLibrary } from '../../../chaos/guards.ts';
import { launch } from '../../../src/cli/launch.ts';
import { readJournalText } from '../../../src/messaging/journal.ts';
import { edgeKey } from '../../../src/protocol/keys.ts';
import { roster } from '../../../src/protocol/roster.ts';
import { sparePrefix } from '../../../src/protocol/start-channel.ts';
import { admitElder } from '../../../src/supervision/elders/elder-process.ts';
import type { RunningProcess } from '../../../src/supervision/elders/running-process.ts';
import { spawnElder } from '../../../src/supervision/elders/spawn-elder.ts';
import { prepareTreeFolder } from '../../../src/supervision/manager/tree-folder.ts';
import { prepareHome } from '../../../src/supervision/spares/spare-folders.ts';
import { commitOf } from '../../messaging/conformance.ts';
import { freePort } from '../../support/free-port.ts';
import { MemoryTree } from '../../support/memory-tree.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

/** Messages that come while an elder is frozen. */
const count = 5;
let redis: TestRedis;
before(async () => {
  redis = await startTestRedis({ appendfsync: 'everysec' });
  await prepareTreeFolder(redis.folder.project);
});
after(() => redis.stop());

/** Makes a warm process the elder of that name, on a port of its own, and resolves when it is ready. */
async function promote(name: string, off: readonly GuardName[], started: RunningProcess[]) {
  const { admin, tree, servants, folder, authority, endpoint } = redis;
  const home = await prepareHome(folder, `${sparePrefix}${name}`);
  const config = { ...redis.config, isolation: 'none' as const };
  const spare = { names: [name, name === 'task_sage' ? 'incident_sage' : name], home };
  const spawned = await spawnElder({ name: `${sparePrefix}${name}`, folder, program: launch, config, spare });
  await spawned.loading.loaded;
  const principals = name === 'grand_elder' ? [name, 'gateway'] : [name];
  const credentials = Object.fromEntries(
    await Promise.all(
      principals.map(
        async (each) => [each, await createIncarnation(admin, { tree, name: each, servants, off })] as const,
      ),
    ),
  );
  const ready = Promise.withResolvers<void>();
  const incarnation = credentials[name]?.incarnation ?? 0;
  const process = await admitElder(spawned, {
    ...{ name, incarnation, restarts: 0, port: await freePort(), config, folder, authority },
    ...{ revoked: [], redis: endpoint, relinquish: [], credentials: Promise.resolve(credentials) },
    incarnations: Object.fromEntries(principals.map((each) => [each, credentials[each]?.incarnation ?? 0])),
    onReport: (report) => {
      if (report.kind === 'ready') ready.resolve();
      if (report.kind === 'failed') ready.reject(new Error(report.error.reason));
    },
    isCalm: () => true,
    signal: new AbortController().signal,
  });
  started.push(process);
  void process.exited.then(() => ready.reject(new Error(`${name} ended`)));
  await ready.promise;
  return process;
}

/** Id of the newest entry in the journal of an elder. */
async function journalEnd(name: string): Promise<string> {
  const reply = await redis.admin.command(['XREVRANGE', redis.keys.journal(name), '+', '-', 'COUNT', '1']);
  return (reply as [string, unknown][])[0]?.[0] ?? '0-0';
}

/** How often each message of an edge stands in the journal of an elder from an entry on, once `enough` says so of the counts. */
async function handled(
  { name, edge, from }: { name: string; edge: string; from: string },
  enough: (counts: readonly number[]) => boolean,
): Promise<number[]> {
  for (let last = from; ; ) {
    const reply = await redis.admin.command(['XRANGE', redis.keys.journal(name), `(${from}`, '+']);
    const entries = reply as [string, string[]][];
    const counts = new Map<string | number, number>();
    for (const [, fields] of entries) {
      const text = fields[fields.indexOf('j') + 1] ?? '[]';
      for (const { e, i, q, k = 0 } of readJournalText(text)) {
        const places = q === undefined ? [i ?? ''] : Array.from({ length: k }, (_, index) => q + index);
        for (const place of e === edge ? places : []) counts.set(place, (counts.get(place) ?? 0) + 1);
      }
    }
    if (counts.size >= count && enough([...counts.values()])) return [...counts.values()];
    // Until there is more, at most a second.
    last = entries.at(-1)?.[0] ?? last;
    await redis.admin.command(['XREAD', 'BLOCK', '1000', 'STREAMS', redis.keys.journal(name), last]);
  }
}

/** A message that changes nothing, from somebody who may send it. */
function messageTo(name: string, wire: MemoryTree) {
  if (name !== 'grand_elder') {
    const payload = { directiveId: null, reason: 'none' };
    return {
      lane: 'control' as const,
      message: wire.message('grand_elder', name, 'emergency.resume', payload),
    };
  }
  // The gateway, which might ask it, lives in its very process.
  const payload = { original_message_id: randomUUID(), status: 'acted' as const, reason: null };
  return { lane: 'low' as const, message: wire.message('claude_elder', name, 'reply.acknowledge', payload) };
}

/** Freezes an elder before messages come, has a spare take its place and handle them, and lets the frozen one go on. */
async function failOver(name: string, off: readonly GuardName[]) {
  const started: RunningProcess[] = [];
  try {
    const zombie = await promote(name, off, started);
    process.kill(zombie.identity.pid, 'SIGSTOP');
    const wire = new MemoryTree();
    const messages = Array.from({ length: count }, () => messageTo(name, wire));
    const [first] = messages;
    const edge = edgeKey(first?.message.source_elder ?? '', first?.lane ?? 'low');
    const place = { name, edge, from: await journalEnd(name) };
    const send = messages.map(({ lane, message }) => ({ target: name, lane, body: JSON.stringify(message) }));
    const broker = await redis.brokerFor(messages[0]?.message.source_elder ?? '');
    const { commitNumber } = await broker.load();
    assert.deepEqual(await broker.commit(commitOf(commitNumber + 1, { send })), { kind: 'ok' });
    await promote(name, off, started);
    const all = (counts: readonly number[]) => counts.every((times) => times > 0);
    assert.deepEqual(await handled(place, all), once);
    process.kill(zombie.identity.pid, 'SIGCONT');
    if (off.length > 0) return await handled(place, (counts) => counts.some((times) => times > 1));
    await zombie.exited;
    return await handled(place, all);
  } finally {
    for (const each of started) each.kill('SIGKILL');
    await Promise.all(started.map(({ exited }) => exited));
  }
}

const once = Array.from({ length: count }, () => 1);
const names = roster(1).map(({ name }) => name);

for (const name of names) {
  test(`a revived ${name} writes nothing beside the spare that took its place`, async () => {
    assert.deepEqual(await failOver(name, []), once);
  });
}

test('the control: one that kept its user handles again what its successor has handled', async () => {
  await loadLibrary(redis.admin, ['fencing', 'commit-number']);
  assert.notDeepEqual(await failOver('incident_sage', ['fencing', 'commit-number']), once);
});
