import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { configSchema } from '../../../src/protocol/config.ts';
import { loadExternalRedis } from '../../../src/supervision/redis/external-redis.ts';
import { adminPassword, adminUsername } from '../../../src/supervision/redis/redis-files.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

describe('the setting of a Redis of the user’s', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'elders-external-'));
    await writeFile(join(folder, 'ca.pem'), 'the CA');
  });
  after(() => rm(folder, { recursive: true }));

  const load = (redis: unknown) =>
    loadExternalRedis(configSchema.parse({ redis }).redis ?? assert.fail(), folder);

  test('is read from the URL and the files it names', async () => {
    const read = await load({ url: 'rediss://us%40er:pass%20word@redis.example:7000', ca: 'ca.pem' });
    assert.deepEqual(read, {
      endpoint: { host: 'redis.example', port: 7000, ca: 'the CA' },
      credential: { username: 'us@er', password: 'pass word' },
    });
  });

  test('has the usual defaults', async () => {
    const { endpoint, credential } = await load('rediss://:secret@[::1]');
    assert.deepEqual([endpoint.host, endpoint.port, credential.username], ['::1', 6379, 'default']);
    assert.ok(endpoint.ca?.includes(rootCertificates[0] as string));
  });

  test('is refused with the reason', async () => {
    await assert.rejects(load('rediss://redis.example'), { code: 'config_invalid', reason: /no password/ });
    await assert.rejects(load({ url: 'rediss://:x@redis.example', key: 'missing.pem' }), {
      code: 'config_invalid',
      reason: /redis\.key: ENOENT/,
    });
  });
});

describe('a tree on a Redis of the user’s', () => {
  let redis: TestRedis;
  let tree: SupervisedTree;
  before(async () => {
    redis = await startTestRedis();
    const { cert, key, ca } = await redis.tlsOf('manager');
    const password = await adminPassword(redis.folder);
    const { host, port } = redis.endpoint;
    tree = await SupervisedTree.create({
      redis: {
        url: `rediss://${adminUsername}:${password}@${host}:${port}`,
        ca: 'ca.pem',
        cert: 'cert.pem',
        key: 'key.pem',
      },
      supervision: { probeInterval: '100ms' },
    });
    for (const [name, text] of Object.entries({ ca, cert, key })) {
      await writeFile(join(tree.project, `${name}.pem`), text, { mode: 0o600 });
    }
    await tree.up();
  });
  after(async () => {
    await tree.remove();
    await redis.stop();
  });

  test('says whose it is and starts none', () => {
    const { managed, pid, state, port, appendfsync } = tree.status.redis;
    assert.deepEqual([managed, pid, state, appendfsync], [false, null, 'ready', 'always']);
    assert.equal(port, redis.endpoint.port);
    assert.equal(tree.processes().length, tree.status.elders.length);
  });

  test('waits, unready and without any restart, while it is away', async () => {
    const pids = tree.pids();
    await redis.kill();
    await tree.until(() => tree.status.elders.every(({ state }) => state === 'unready'));
    await tree.until(() => tree.status.redis.state === 'unreachable');
    assert.equal(tree.status.state, 'degraded');
    assert.equal(tree.elder('task_sage').reason, 'Redis is away');
    await redis.restart();
    await tree.until(() => tree.status.state === 'ready');
    assert.deepEqual(tree.pids(), pids);
  });

  test('leaves one that hangs alone, says that it does not answer, and goes on when it does', async () => {
    const pids = tree.pids();
    const incarnations = tree.status.elders.map(({ incarnation }) => incarnation);
    const record = JSON.parse(await readFile(redis.folder.processRecord('redis'), 'utf8'));
    process.kill(record.pid, 'SIGSTOP');
    try {
      await tree.until(() => tree.status.redis.state === 'unreachable');
      assert.match(tree.status.redis.reason ?? '', /no answer to \w+ within \d+ ms/);
      assert.equal(tree.status.redis.pid, null);
      assert.equal(tree.status.redis.restarts, 0);
    } finally {
      process.kill(record.pid, 'SIGCONT');
    }
    await tree.until(() => tree.status.state === 'ready');
    assert.deepEqual(tree.pids(), pids);
    assert.deepEqual(
      tree.status.elders.map(({ incarnation }) => incarnation),
      incarnations,
    );
  });

  test('leaves it running when it stops', async () => {
    await tree.manager.shutdown('drain');
    assert.deepEqual(tree.processes(), []);
    assert.equal(await redis.admin.command(['PING']), 'PONG');
  });

  test('cannot start while it is away, says so and leaves nothing', async () => {
    await redis.kill();
    const { config } = tree.options;
    const supervision = { ...config.supervision, startTimeout: 1_000 };
    await assert.rejects(tree.up({ config: { ...config, supervision } }), { code: 'redis_unreachable' });
    assert.deepEqual(tree.processes(), []);
  });
});
