import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { decodeMessage } from '../../../src/messaging/codec.ts';
import { treeKeys } from '../../../src/protocol/keys.ts';
import type { ElderMessage } from '../../../src/protocol/message.ts';
import { roster } from '../../../src/protocol/roster.ts';
import { loadCrashHistory } from '../../../src/supervision/restarts/crash-memory.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

describe('a tree of which a process ends', () => {
  let tree: SupervisedTree;
  before(async () => {
    tree = await SupervisedTree.create({
      // Long enough that no busy machine makes a healthy elder look like one that hangs.
      supervision: { probeInterval: '100ms', livenessDeadline: '6s' },
    });
    await tree.up();
  });
  after(() => tree.remove());

  /** Resolves when the elder is ready in a new process. */
  async function replaced(name: string, pid: number, restarts: number): Promise<void> {
    await tree.until(() => {
      const now = tree.elder(name);
      return now.state === 'ready' && now.pid !== pid && now.restarts === restarts;
    });
  }

  for (const { name } of roster(2)) {
    test(`kill -9 of ${name} is followed by one restart; all others keep their processes`, async () => {
      const others = tree.pids(name);
      const { restarts, incarnation } = tree.elder(name);
      const pid = tree.pid(name);
      process.kill(pid, 'SIGKILL');
      await replaced(name, pid, restarts + 1);
      assert.ok(tree.elder(name).incarnation > incarnation);
      assert.deepEqual(tree.pids(name), others);
      await tree.until(() => tree.status.state === 'ready');
    });
  }

  test('one that hangs is replaced', async () => {
    const others = tree.pids('task_sage');
    const { restarts } = tree.elder('task_sage');
    const pid = tree.pid('task_sage');
    process.kill(pid, 'SIGSTOP');
    await tree.until(
      () => tree.elder('task_sage').state === 'backoff' || tree.elder('task_sage').pid !== pid,
    );
    await replaced('task_sage', pid, restarts + 1);
    assert.deepEqual(tree.pids('task_sage'), others);
    assert.ok(
      tree.events.some(({ error }) => error?.reason.includes('task_sage') && /no answer/.test(error.reason)),
    );
  });

  test('one that is unready says why and is not restarted', async () => {
    const pids = tree.pids();
    await tree.tell('rag_sage', 'unready');
    await tree.until(() => tree.elder('rag_sage').state === 'unready');
    assert.equal(tree.elder('rag_sage').reason, 'told to be unready');
    assert.equal(tree.status.state, 'degraded');
    await tree.untell('rag_sage', 'unready');
    await tree.until(() => tree.elder('rag_sage').state === 'ready');
    assert.equal(tree.elder('rag_sage').reason, null);
    assert.deepEqual(tree.pids(), pids);
  });

  test('kill -9 of Redis: it is restarted on the same files, no elder is', async () => {
    const pids = tree.pids();
    const before = tree.status.redis;
    process.kill(before.pid as number, 'SIGKILL');
    await tree.until(() => tree.status.redis.state !== 'ready');
    await tree.until(() => tree.status.elders.some(({ state }) => state === 'unready'));
    await tree.until(
      () => tree.status.redis.restarts === before.restarts + 1 && tree.status.state === 'ready',
    );
    assert.notEqual(tree.status.redis.pid, before.pid);
    assert.deepEqual(tree.pids(), pids);
    // Users and functions are still there: a new incarnation can be made and used.
    const pid = tree.pid('servant_2');
    const { restarts } = tree.elder('servant_2');
    process.kill(pid, 'SIGKILL');
    await replaced('servant_2', pid, restarts + 1);
  });

  test('an elder that dies while Redis is away is back once Redis is', async () => {
    const pid = tree.pid('servant_1');
    const { restarts } = tree.elder('servant_1');
    const redis = tree.status.redis.pid as number;
    process.kill(redis, 'SIGSTOP');
    process.kill(pid, 'SIGKILL');
    await tree.until(() => tree.elder('servant_1').state === 'starting');
    process.kill(redis, 'SIGKILL');
    await replaced('servant_1', pid, restarts + 1);
    await tree.until(() => tree.status.state === 'ready');
  });

  test('every end has been raised as an incident once, those while Redis was away too', async () => {
    const { elders, redis } = tree.status;
    const expected: Record<string, number> = Object.fromEntries([
      ...elders.map(({ name, restarts }) => [name, restarts] as const),
      ['redis', redis.restarts] as const,
    ]);
    const total = Object.values(expected).reduce((sum, count) => sum + count, 0);
    const messages = await readIncidents(total);
    const counts: Record<string, number> = {};
    for (const { payload } of messages) {
      const name = String(payload.fingerprint).split(':')[1] as string;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    assert.deepEqual(counts, expected);
    assert.equal(new Set(messages.map((message) => message.message_id)).size, total);
  });

  /** Reads what the manager has raised, waiting until there are `count` incidents. */
  async function readIncidents(count: number): Promise<ElderMessage[]> {
    const redis = await tree.redis();
    const key = treeKeys(tree.status.tree).edge('incident_sage', 'manager', 'high');
    const messages: ElderMessage[] = [];
    for (let last = '0'; messages.length < count; ) {
      const args = ['XREAD', 'COUNT', '100', 'BLOCK', '20000', 'STREAMS', key, last];
      const reply = (await redis.command(args, { timeoutMs: 30_000 })) as
        | [string, [string, string[]][]][]
        | null;
      for (const [id, fields] of reply?.[0]?.[1] ??
        assert.fail(`${messages.length} of ${count} incidents came`)) {
        last = id;
        const decoded = decodeMessage(fields[fields.indexOf('m') + 1] ?? '', 'manager:high', 'incident_sage');
        assert.ok(decoded.ok);
        messages.push(decoded.message);
      }
    }
    redis.close();
    return messages;
  }

  test('when all of it was suspended, nothing is restarted', async () => {
    const pids = tree.pids();
    const all = [process.pid, tree.status.redis.pid, ...Object.values(pids)].join(' ');
    // Longer than the deadline. The manager runs in this process, so somebody else must stop and wake it.
    const script = `kill -STOP ${all}; sleep 8; kill -CONT ${all}`;
    await once(spawn('sh', ['-c', script], { stdio: 'ignore' }), 'exit');
    // Probes go on: this is seen by one.
    await tree.tell('rag_sage', 'unready');
    await tree.until(() => tree.elder('rag_sage').state === 'unready');
    await tree.untell('rag_sage', 'unready');
    await tree.until(() => tree.status.state === 'ready');
    assert.deepEqual(tree.pids(), pids);
  });
});

describe('a process that crashes again and again', () => {
  let tree: SupervisedTree;
  after(() => tree.remove());

  test('is given up with an incident; the others run on, and it is not forgotten that it crashed', async () => {
    tree = await SupervisedTree.create({ supervision: { intensity: 3 } });
    await tree.up();
    const others = tree.pids('servant_1');
    await tree.tell('servant_1', 'exit', '9');
    process.kill(tree.pid('servant_1'), 'SIGKILL');
    await tree.until(() => tree.elder('servant_1').state === 'failed');
    const { restarts, reason, pid } = tree.elder('servant_1');
    assert.deepEqual([restarts, pid, tree.status.state], [3, null, 'degraded']);
    assert.match(reason ?? '', /crashed more than 3 times in 60000 ms: servant_1 exited with code 9/);
    assert.deepEqual(tree.pids('servant_1'), others);
    const redis = await tree.redis();
    const key = treeKeys(tree.status.tree).edge('incident_sage', 'manager', 'high');
    const seen: string[] = [];
    for (let last = '0'; !seen.includes('manager:servant_1:given_up'); ) {
      const args = ['XREAD', 'COUNT', '1', 'BLOCK', '20000', 'STREAMS', key, last];
      const reply = (await redis.command(args, { timeoutMs: 30_000 })) as
        | [string, [string, string[]][]][]
        | null;
      const [id, fields] = reply?.[0]?.[1]?.[0] ?? assert.fail(`only ${seen.join(', ')} came`);
      last = id;
      seen.push(JSON.parse(fields[fields.indexOf('m') + 1] as string).payload.fingerprint);
    }
    redis.close();
    assert.equal(seen.length, 5, seen.join(' '));
    let history = await loadCrashHistory(tree.folder, 'servant_1');
    // The file is written beside the incidents.
    while (history.crashes.length < 4) history = await loadCrashHistory(tree.folder, 'servant_1');
    assert.deepEqual([history.restarts, history.crashes.length], [3, 4]);
  });
});
