import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { ManagerEvent } from '../../../src/protocol/local-api.ts';
import type { TreeStatus } from '../../../src/protocol/process.ts';
import { roster } from '../../../src/protocol/roster.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

const names = roster(2).map((spec) => spec.name);

function at(events: readonly ManagerEvent[], kind: string, name: string): number {
  const index = events.findIndex((event) => event.kind === kind && event.name === name);
  assert.notEqual(index, -1, `no event ${kind} ${name}`);
  return index;
}

describe('a tree that runs', () => {
  let tree: SupervisedTree;
  before(async () => {
    tree = await SupervisedTree.create();
    await tree.up();
  });
  after(() => tree.remove());

  test('has started each elder when its parent was ready', () => {
    for (const { name, parent } of roster(2)) {
      const started = at(tree.events, 'starting', name);
      if (parent !== null) assert.ok(at(tree.events, 'ready', parent) < started, `${name} before ${parent}`);
      assert.ok(at(tree.events, 'ready', 'redis') < started);
    }
    const last = Math.max(...names.map((name) => at(tree.events, 'ready', name)));
    assert.ok(tree.events.findIndex(({ kind }) => kind === 'tree_ready') > last);
    const sages = ['knowledge_sage', 'task_sage', 'rag_sage', 'incident_sage'];
    const firstReady = Math.min(...sages.map((name) => at(tree.events, 'ready', name)));
    for (const name of sages) assert.ok(at(tree.events, 'starting', name) < firstReady, 'not side by side');
  });

  test('says so in its status, on the socket too', async () => {
    const own = () => JSON.parse(JSON.stringify(tree.status));
    let before: TreeStatus;
    let answer: { status: number; body: string };
    // What is known of the servants' work comes a little after the tree is ready.
    do {
      await tree.until(() => tree.status.state === 'ready');
      before = own();
      answer = await tree.ask('GET', '/v1/status');
    } while (!isDeepStrictEqual(before, own()));
    assert.equal(answer.status, 200);
    const status = JSON.parse(answer.body);
    assert.deepEqual(status, before);
    assert.equal(status.state, 'ready');
    assert.equal(status.redis.state, 'ready');
    assert.deepEqual(
      status.elders.map((elder) => elder.name),
      names,
    );
    assert.equal(new Set(status.elders.map((elder) => elder.pid)).size, names.length);
  });

  test('is in the registry', async () => {
    const redis = await tree.redis();
    const isThere = (registry: Map<string, string>) =>
      names.every((name) => isDeepStrictEqual(JSON.parse(registry.get(name) ?? 'null'), tree.elder(name)));
    let registry = await redis.registry();
    // It is written behind what it tells of.
    while (!isThere(registry)) registry = await redis.registry();
    redis.close();
    assert.deepEqual([...registry.keys()].sort(), [...names].sort());
  });

  test('has a socket and files that only their owner may open', () => {
    assert.equal(statSync(tree.folder.managerSocket).mode & 0o777, 0o600);
    for (const path of [tree.folder.root, tree.folder.run, tree.folder.secret]) {
      assert.equal(statSync(path).mode & 0o777, 0o700, path);
    }
    for (const file of readdirSync(tree.folder.run)) {
      assert.equal(statSync(`${tree.folder.run}/${file}`).mode & 0o077, 0, file);
    }
  });

  test('refuses a second manager, which names the first and changes nothing', async () => {
    const pids = tree.pids();
    await assert.rejects(
      tree.upApart(),
      new RegExp(`already_running: the manager with pid ${process.pid} holds`),
    );
    assert.deepEqual(tree.pids(), pids);
    assert.equal((await tree.ask('GET', '/v1/status')).status, 200);
  });

  test('answers what it does not understand with an error', async () => {
    for (const [method, path, body, status, code] of [
      ['GET', '/v1/nothing', undefined, 404, 'not_found'],
      ['GET', '/v1/trace', undefined, 400, 'usage'],
      ['GET', '/v1/message?id=none', undefined, 404, 'not_found'],
      ['POST', '/v1/shutdown', '{"mode":"fly"}', 400, 'usage'],
      ['POST', '/v1/shutdown', 'not json', 400, 'usage'],
      ['POST', '/v1/shutdown', `"${'x'.repeat(70_000)}"`, 413, 'too_large'],
    ] as const) {
      const answer = await tree.ask(method, path, body);
      assert.equal(answer.status, status, path);
      assert.equal(JSON.parse(answer.body).error.code, code, path);
    }
    await tree.until(() => tree.status.state === 'ready');
  });

  test('has messages to trace', async () => {
    const answer = await tree.ask('GET', '/v1/trace?correlation=none');
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [200, { messages: [] }]);
  });
});

describe('a tree that is stopped', () => {
  let tree: SupervisedTree;
  afterEach(() => tree.remove());

  test('by drain stops in reverse order and leaves nothing', async () => {
    tree = await SupervisedTree.create();
    await tree.up();
    // The control: the checker sees what runs now.
    const { pid: redis } = tree.status.redis;
    for (const pid of [redis, ...Object.values(tree.pids())])
      assert.ok(tree.processes().includes(pid as number));
    tree.events.length = 0;
    const answer = await tree.ask('POST', '/v1/shutdown', '{"mode":"drain"}');
    const lines = answer.body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ManagerEvent);
    assert.equal(lines.at(-1)?.kind, 'tree_stopped');
    await tree.manager.done;
    for (const { name, parent } of roster(2)) {
      if (parent === null || name === 'elder_council' || name.startsWith('servant')) continue;
      assert.ok(at(tree.events, 'stopped', name) < at(tree.events, 'stopping', parent), name);
    }
    assert.deepEqual(tree.processes(), []);
    assert.deepEqual(readdirSync(tree.folder.run).sort(), ['manager.lock']);
    assert.equal(tree.status.state, 'stopped');
  });

  test('by drain kills who does not end in time', async () => {
    tree = await SupervisedTree.create({ supervision: { shutdown: '200ms' } });
    await tree.tell('rag_sage', 'loiter');
    const manager = await tree.up();
    await manager.shutdown('drain');
    assert.deepEqual(tree.processes(), []);
  });

  test('by kill while it drains ends at once', async () => {
    tree = await SupervisedTree.create({ supervision: { shutdown: '10m' } });
    for (const name of names) await tree.tell(name, 'loiter');
    const manager = await tree.up();
    const drained = manager.shutdown('drain');
    await tree.until(() => tree.elder('servant_1').state === 'draining');
    await manager.shutdown('kill');
    await drained;
    assert.deepEqual(tree.processes(), []);
  });

  test('while it starts rejects the start and leaves nothing', async () => {
    tree = await SupervisedTree.create();
    const stop = new AbortController();
    const starting = tree.up({ signal: stop.signal });
    await tree.until(() => tree.events.some((event) => event.name === 'task_sage'));
    stop.abort();
    await assert.rejects(starting, { code: 'interrupted' });
    assert.deepEqual(tree.processes(), []);
    assert.equal(existsSync(tree.folder.managerSocket), false);
  });
});

describe('a tree that cannot start', () => {
  let tree: SupervisedTree;
  afterEach(() => tree.remove());

  test('because a port is taken names who holds it and starts nothing', async () => {
    tree = await SupervisedTree.create();
    const server = createServer().listen(tree.options.config.portBase + 3, '127.0.0.1');
    await once(server, 'listening');
    await assert.rejects(tree.up(), (error: Error) => {
      assert.match(error.message, /^port_taken: /);
      assert.ok(error.message.includes('(for task_sage)') && error.message.includes(`(pid ${process.pid})`));
      return true;
    });
    server.close();
    await once(server, 'close');
    assert.deepEqual(tree.processes(), []);
    assert.ok(!tree.events.some((event) => event.kind === 'starting'));
  });

  for (const [what, word, content, expected] of [
    ['because an elder exits', 'exit', '7', /start_failed: rag_sage exited with code 7/],
    ['because an elder says why it cannot', 'fail', '', /conflict: told to fail/],
    [
      'because an elder is not ready in time',
      'mute',
      '',
      /start_failed: rag_sage was not ready within 10000 ms/,
    ],
  ] as const) {
    test(`${what} stops what was started and says why`, async () => {
      tree = await SupervisedTree.create();
      const { config } = tree.options;
      const supervision = { ...config.supervision, startTimeout: word === 'mute' ? 10_000 : 30_000 };
      await tree.tell('rag_sage', word, content);
      await assert.rejects(tree.up({ config: { ...config, supervision } }), (error: Error) =>
        expected.test(error.message),
      );
      assert.deepEqual(tree.processes(), []);
      assert.ok(at(tree.events, 'stopped', 'claude_elder') < at(tree.events, 'stopped', 'grand_elder'));
      assert.deepEqual(readdirSync(tree.folder.run).sort(), ['manager.lock']);
      await tree.untell('rag_sage', word);
      await tree.up();
      await tree.until(() => tree.status.state === 'ready');
    });
  }
});
