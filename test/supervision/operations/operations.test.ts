import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Config } from '../../../src/protocol/config.ts';
import { ElderError } from '../../../src/protocol/errors.ts';
import {
  type ElderDescription,
  elderDescription,
  type TreeMeasure,
  treeMeasure,
} from '../../../src/protocol/operations.ts';
import { roster } from '../../../src/protocol/roster.ts';
import { readAudit } from '../../../src/telemetry/audit/read-audit.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

const names = roster(2).map(({ name }) => name);

/** What an operation said: its events, then how it ended. */
function linesOf(body: string) {
  const lines = body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { events: lines.slice(0, -1), end: lines.at(-1) };
}

describe('a tree that runs, asked to change', () => {
  let tree: SupervisedTree;
  let next: Config;
  before(async () => {
    tree = await SupervisedTree.create({ supervision: { probeInterval: '100ms' } });
    next = tree.options.config;
    await tree.up({ loadConfig: async () => next });
  });
  after(() => tree.remove());

  const changed = (before: Record<string, number | null>) =>
    names.filter((name) => tree.pids()[name] !== before[name]);

  test('restarts the elders that are named, in the order of their start, as a plan and not as crashes', async () => {
    const before = tree.pids();
    const answer = await tree.ask(
      'POST',
      '/v1/restart',
      JSON.stringify({ names: ['servant_2', 'task_sage'] }),
    );
    const { events, end } = linesOf(answer.body);
    assert.deepEqual(end, { done: ['servant_2', 'task_sage'] });
    assert.deepEqual(
      events.filter(({ kind }) => kind === 'ready').map(({ name }) => name),
      ['task_sage', 'servant_2'],
    );
    assert.deepEqual(changed(before), ['task_sage', 'servant_2']);
    assert.equal(tree.elder('task_sage').restarts, 0);
    await tree.until(() => tree.status.state === 'ready');
  });

  test('does nothing when one of the names is unknown', async () => {
    const before = tree.pids();
    const answer = await tree.ask(
      'POST',
      '/v1/restart',
      JSON.stringify({ names: ['servant_1', 'task_sago'] }),
    );
    assert.equal(answer.status, 404);
    assert.match(answer.body, /did you mean/);
    assert.deepEqual(tree.pids(), before);
  });

  test('restarts an elder that was given up, with a clean record', async () => {
    await tree.tell('servant_1', 'exit', '9');
    next = { ...next, supervision: { ...next.supervision, intensity: 1 } };
    assert.deepEqual(linesOf((await tree.ask('POST', '/v1/reload', '{}')).body).end, {
      done: ['supervision.intensity'],
    });
    process.kill(tree.pid('servant_1'), 'SIGKILL');
    await tree.until(() => tree.elder('servant_1').state === 'failed');
    await tree.untell('servant_1', 'exit');
    const answer = await tree.ask('POST', '/v1/restart', JSON.stringify({ names: ['servant_1'] }));
    assert.deepEqual(linesOf(answer.body).end, { done: ['servant_1'] });
    await tree.until(() => tree.status.state === 'ready');
    const described = elderDescription.parse(
      JSON.parse((await tree.ask('GET', '/v1/elder?name=servant_1')).body),
    );
    assert.deepEqual(described.crashes, []);
    assert.equal(described.errors[0]?.kind, 'given_up');
  });

  test('a changed configuration restarts those whom it concerns and changes how the others are watched', async () => {
    const before = tree.pids();
    next = {
      ...next,
      tasks: { ...next.tasks, lease: 100_000 },
      supervision: { ...next.supervision, livenessDeadline: 5_000 },
    };
    const { end } = linesOf((await tree.ask('POST', '/v1/reload', '{}')).body);
    assert.deepEqual(end, { done: ['tasks', 'supervision.livenessDeadline'] });
    assert.deepEqual(changed(before), ['task_sage', 'servant_1', 'servant_2']);
    const pid = tree.pid('rag_sage');
    process.kill(pid, 'SIGSTOP');
    // By the old deadline this would take 15 s.
    await tree.until(() => tree.elder('rag_sage').pid !== pid && tree.elder('rag_sage').state === 'ready');
    const waits = tree.events.flatMap(({ error }) =>
      [...(error?.reason ?? '').matchAll(/rag_sage hangs: no answer for (\d+) ms/g)].map(([, ms]) =>
        Number(ms),
      ),
    );
    assert.ok(waits.length === 1 && (waits[0] ?? 0) < 15_000, String(waits));
    next = { ...next, supervision: { ...next.supervision, livenessDeadline: 15_000 } };
    await tree.ask('POST', '/v1/reload', '{}');
  });

  test('a configuration that is invalid, or that a running tree cannot take, changes nothing', async () => {
    const before = tree.pids();
    const good = next;
    next = { ...good, portBase: good.portBase + 1, log: { ...good.log, level: 'debug' } };
    const refused = await tree.ask('POST', '/v1/reload', '{}');
    assert.equal(JSON.parse(refused.body).error.code, 'conflict');
    assert.match(JSON.parse(refused.body).error.reason, /portBase/);
    next = good;
    assert.deepEqual(linesOf((await tree.ask('POST', '/v1/reload', '{}')).body).end, { done: [] });
    assert.deepEqual(tree.pids(), before);
  });

  test('describes an elder and measures all', async () => {
    const describe = async () =>
      elderDescription.parse(JSON.parse((await tree.ask('GET', '/v1/elder?name=incident_sage')).body));
    const edgeOf = ({ edges }: ElderDescription) =>
      edges.find(({ source, lane }) => source === 'manager' && lane === 'high');
    let described = await describe();
    let measured: TreeMeasure;
    // An incident that is raised between two looks makes them differ.
    for (;;) {
      measured = treeMeasure.parse(JSON.parse((await tree.ask('GET', '/v1/measure')).body));
      const again = await describe();
      const isCalm = edgeOf(again)?.sent === edgeOf(described)?.sent;
      described = again;
      if (isCalm) break;
    }
    assert.equal(described.status.pid, tree.pid('incident_sage'));
    assert.equal(described.supervision.branch, 'claude_elder');
    assert.equal(described.certificate?.incarnation, described.status.incarnation);
    assert.ok(described.permissions.includes('sage.incident.*'));
    // What the crash above had the manager raise.
    const edge = edgeOf(described);
    assert.ok((edge?.sent ?? 0) > 0 && edge?.length === edge?.sent && edge?.handled === 0);
    assert.deepEqual(
      measured.processes.map(({ name }) => name),
      ['manager', 'redis', ...names],
    );
    const sage = measured.processes.find(({ name }) => name === 'incident_sage');
    assert.ok((sage?.memory ?? 0) > 20_000_000 && (sage?.cpuTime ?? 0) > 0);
    assert.equal(sage?.waiting, edge?.sent);
    assert.equal((await tree.ask('GET', '/v1/elder?name=nobody')).status, 404);
  });
});

describe('a configuration that cannot be read', () => {
  let tree: SupervisedTree;
  after(() => tree.remove());

  test('is refused with the reason', async () => {
    tree = await SupervisedTree.create({ servants: 1 });
    await tree.up({
      loadConfig: () => Promise.reject(new ElderError('config_invalid', 'elders.yaml:1:1: no')),
    });
    const before = tree.pids();
    const answer = await tree.ask('POST', '/v1/reload', '{}');
    assert.equal(JSON.parse(answer.body).error.code, 'config_invalid');
    assert.deepEqual(tree.pids(), before);
  });

  test('and all that people ask stands in the audit, with what came of it', async () => {
    await tree.ask('POST', '/v1/restart', JSON.stringify({ names: ['servant_1'] }));
    await tree.ask('POST', '/v1/restart', JSON.stringify({ names: ['nobody'] }));
    await tree.ask('POST', '/v1/shutdown', JSON.stringify({ mode: 'drain' }));
    await tree.manager.done;
    const records = await readAudit(tree.folder.audit, { kind: 'configuration' });
    const told = records.map(({ event, subject, object }) => [event, subject, object]);
    assert.deepEqual(told, [
      ['first', null, null],
      ['up', null, 'the tree'],
      ['reload', 'human', 'the tree'],
      ['reload_failed', 'human', 'the tree'],
      ['restart', 'human', 'servant_1'],
      ['restart', 'human', 'nobody'],
      ['restart_failed', 'human', 'nobody'],
      ['down', 'human', 'the tree'],
    ]);
    assert.match(records[3]?.reason ?? '', /^config_invalid: elders.yaml:1:1/);
  });
});
