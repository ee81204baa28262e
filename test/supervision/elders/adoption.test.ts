import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ProcessRecord } from '../../../src/protocol/process.ts';
import { roster } from '../../../src/protocol/roster.ts';
import { loadProcessRecords, saveProcessRecord } from '../../../src/supervision/elders/process-records.ts';
import { isSameProcess, readProcessIdentity } from '../../../src/telemetry/process-identity.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

/** After which the elder that hangs counts as hanging, ms. */
const patienceMs = 5_000;
const names = roster(2).map((spec) => spec.name);

describe('a tree whose manager was killed', () => {
  let tree: SupervisedTree;
  let records: Map<string, ProcessRecord>;
  beforeEach(async () => {
    // The deadline of the defaults: a busy machine must not make a healthy elder look like one that hangs.
    tree = await SupervisedTree.create({ supervision: { probeInterval: '100ms' } });
    await tree.upApart();
    await tree.killManager();
    records = await loadProcessRecords(tree.folder);
    tree.events.length = 0;
  });
  afterEach(() => tree.remove());

  const record = (name: string) => records.get(name) ?? assert.fail(`no record of ${name}`);

  test('runs on and is taken over by the next one, process by process', async () => {
    assert.deepEqual([...records.keys()].sort(), [...names, 'redis'].sort());
    for (const each of records.values()) assert.ok(isSameProcess(each), each.name);
    await tree.up();
    await tree.until(() => tree.status.state === 'ready');
    for (const name of names) {
      const { pid, incarnation, startedAt } = record(name);
      const now = tree.elder(name);
      assert.deepEqual(
        [now.pid, now.incarnation, now.startedAt, now.restarts, now.state],
        [pid, incarnation, startedAt, 0, 'ready'],
      );
    }
    assert.deepEqual([tree.status.redis.pid, tree.status.redis.restarts], [record('redis').pid, 0]);
    const adopted = tree.events.filter((event) => event.kind === 'adopted').map((event) => event.name);
    assert.deepEqual(adopted.sort(), [...names, 'redis'].sort());

    // What was taken over is looked after like what was started.
    const others = tree.pids('task_sage');
    process.kill(tree.pid('task_sage'), 'SIGKILL');
    await tree.until(() => tree.elder('task_sage').restarts === 1 && tree.status.state === 'ready');
    assert.deepEqual(tree.pids('task_sage'), others);
    const redis = tree.status.redis.pid as number;
    process.kill(redis, 'SIGKILL');
    await tree.until(() => tree.status.redis.restarts === 1 && tree.status.state === 'ready');
    assert.deepEqual(tree.pids('task_sage'), others);

    await tree.manager.shutdown('drain');
    assert.deepEqual(tree.processes(), []);
    assert.deepEqual(readdirSync(tree.folder.run), ['manager.lock']);
  });

  test('keeps what can be taken over; what ended, hangs or is not what it was is started anew', async () => {
    process.kill(record('servant_1').pid, 'SIGKILL');
    process.kill(record('rag_sage').pid, 'SIGSTOP');
    await saveProcessRecord(tree.folder, { ...record('task_sage'), incarnation: 99 });
    const { config } = tree.options;
    await tree.up({
      config: { ...config, supervision: { ...config.supervision, livenessDeadline: patienceMs } },
    });
    const started = tree.events.filter((event) => event.kind === 'starting').map((event) => event.name);
    const replaced = ['servant_1', 'rag_sage', 'task_sage'];
    assert.deepEqual(started.sort(), ['redis', ...replaced].sort());
    for (const name of names) {
      const isNew = replaced.includes(name);
      assert.equal(tree.elder(name).pid === record(name).pid, !isNew, name);
      assert.equal(tree.elder(name).restarts, isNew ? 1 : 0, name);
      assert.equal(isSameProcess(record(name)), !isNew, name);
    }
  });

  test('whose Redis was killed too is served again without a restart of any elder', async () => {
    process.kill(record('redis').pid, 'SIGKILL');
    await tree.up();
    for (const name of names) assert.equal(tree.elder(name).pid, record(name).pid, name);
    assert.equal(tree.status.redis.restarts, 1);
  });

  test('loses the servant that the configuration no longer has a place for', async () => {
    const { scaling } = tree.options.config;
    await tree.up({ config: { ...tree.options.config, servants: 1, scaling: { ...scaling, max: 1 } } });
    assert.equal(isSameProcess(record('servant_2')), false);
    assert.ok(isSameProcess(record('servant_1')));
    assert.equal((await loadProcessRecords(tree.folder)).has('servant_2'), false);
  });

  test('drains the servant that the configuration no longer wants', async () => {
    await tree.up({ config: { ...tree.options.config, servants: 1 } });
    assert.ok(isSameProcess(record('servant_2')));
    assert.equal(tree.elder('servant_2').state, 'draining');
  });
});

describe('a record that names a process of somebody else', () => {
  let tree: SupervisedTree;
  let foreign: ChildProcess;
  beforeEach(async () => {
    tree = await SupervisedTree.create({ supervision: { livenessDeadline: '6s' } });
    foreign = spawn('sleep', ['600'], { stdio: 'ignore' });
    await once(foreign, 'spawn');
    // Makes the folders.
    await (await tree.up()).shutdown('drain');
  });
  afterEach(async () => {
    foreign.kill('SIGKILL');
    if (foreign.exitCode === null && foreign.signalCode === null) await once(foreign, 'exit');
    await tree.remove();
  });

  function stale(name: string, change: Partial<ProcessRecord>): ProcessRecord {
    const identity = readProcessIdentity(foreign.pid as number) ?? assert.fail('no process');
    const port = tree.options.config.portBase;
    const facts = { name, incarnation: 1, host: '127.0.0.1', port, startedAt: 1, restarts: 0 };
    return { ...identity, ...facts, ...change };
  }

  test('because the pid was used again, never has that process signalled', async () => {
    for (const change of [{ startTime: '1' }, { bootId: 'an earlier boot' }]) {
      for (const name of ['grand_elder', 'redis', 'servant_7']) {
        await saveProcessRecord(tree.folder, stale(name, change));
      }
      const manager = await tree.up();
      await manager.shutdown('kill');
      assert.deepEqual([foreign.exitCode, foreign.signalCode], [null, null]);
    }
  });

  test('is saved by its start time: the control, with the right one, is ended', async () => {
    await saveProcessRecord(tree.folder, stale('grand_elder', {}));
    const ended = once(foreign, 'exit');
    await tree.up();
    assert.deepEqual(await ended, [null, 'SIGKILL']);
  });
});
