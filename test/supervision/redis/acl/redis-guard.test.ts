import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { connect } from 'node:tls';
import { RedisConnection } from '../../../../src/messaging/redis/redis-connection.ts';
import type { AuditEntry } from '../../../../src/protocol/audit.ts';
import { defaultConfig } from '../../../../src/protocol/config.ts';
import { RedisGuard } from '../../../../src/supervision/redis/acl/redis-guard.ts';
import { redisPaths } from '../../../../src/supervision/redis/redis-files.ts';
import { createLogger } from '../../../../src/telemetry/logger.ts';
import { startTestRedis, type TestRedis } from '../../../support/redis.ts';

let redis: TestRedis;
let guard: RedisGuard;
const recorded: AuditEntry[] = [];
const overflows: string[] = [];

before(async () => {
  redis = await startTestRedis();
  guard = new RedisGuard({
    admin: redis.admin,
    logFile: redisPaths(redis.folder).log,
    audit: { record: (entry) => void recorded.push(entry) },
    log: createLogger({ name: 'test', ...defaultConfig.log, file: redis.folder.logFile('test') }),
    onOverflow: (reason) => overflows.push(reason),
  });
  await guard.start();
});
after(async () => {
  await guard?.stop();
  await redis.stop();
});
beforeEach(async () => {
  await guard.read();
  recorded.length = 0;
  overflows.length = 0;
});

async function connectionOf(name: string): Promise<RedisConnection> {
  const tls = await redis.tlsOf(name);
  const credential = await redis.createIncarnation(name);
  const { tree, endpoint } = redis;
  return new RedisConnection({ tree, endpoint, credential, tls: () => tls });
}

const total = (event: string) =>
  recorded.filter((entry) => entry.event === event).reduce((sum, { count = 1 }) => sum + count, 0);

test('every command that Redis denies is in the audit, counted', async () => {
  const connection = await connectionOf('servant_1');
  const { keys } = redis;
  const attempts = [
    ...Array.from({ length: 40 }, () => ['SET', 'x', '1']),
    ['HGETALL', keys.state('task_sage')],
    ['XADD', keys.edge('grand_elder', 'servant_1', 'normal'), '*', 'a', 'a'],
    ['PUBLISH', 'other', 'x'],
  ];
  for (const attempt of attempts) await assert.rejects(connection.command(attempt));
  await guard.read();
  assert.equal(total('redis_acl'), attempts.length);
  assert.ok(recorded.every(({ by, subject }) => by === 'redis' && subject === 'servant_1'));
  const [written] = recorded.filter(({ object }) => object?.includes('in:grand_elder'));
  assert.equal(written?.action, 'xadd');
  await guard.read();
  assert.equal(total('redis_acl'), attempts.length, 'once read, an entry is gone');
  connection.close();
});

test('failed logins, and commands before a login', async () => {
  const { tree, endpoint } = redis;
  const tls = await redis.tlsOf('servant_1');
  const credential = { username: (await redis.createIncarnation('task_sage')).username, password: 'guessed' };
  const connection = new RedisConnection({ tree, endpoint, credential, tls: () => tls });
  await assert.rejects(connection.command(['PING']));
  const socket = connect({
    ...tls,
    host: endpoint.host,
    port: endpoint.port,
    checkServerIdentity: () => undefined,
  });
  socket.write('PING\r\nGET x\r\n');
  await once(socket, 'data');
  socket.destroy();
  await guard.read();
  const [login] = recorded.filter(({ reason }) => reason === 'auth');
  assert.equal(login?.subject, 'task_sage');
  assert.equal(total('redis_login'), 3);
});

test('what Redis refuses by its configuration, whoever asks', async () => {
  const connection = await connectionOf('servant_1');
  for (const command of [
    ['DEBUG', 'SLEEP', '0'],
    ['DEBUG', 'OBJECT', 'x'],
    ['MODULE', 'LOAD', 'x'],
  ]) {
    await assert.rejects(connection.command(command));
  }
  await guard.read();
  assert.equal(total('redis_off'), 3);
  connection.close();
});

test('commits of another incarnation and out of step, but not one that is sent again', async () => {
  const broker = await redis.brokerFor('rag_sage');
  const commit = (number: number) =>
    broker.commit({
      number,
      set: new Map(),
      remove: new Set(),
      positions: new Map(),
      send: [],
      journal: null,
    });
  assert.equal((await commit(1)).kind, 'ok');
  assert.equal((await commit(1)).kind, 'stale');
  await guard.read();
  assert.equal(total('redis_acl'), 0);
  assert.equal((await commit(3)).kind, 'stale');
  await redis.admin.command(['INCR', redis.keys.incarnation('rag_sage')]);
  assert.equal((await commit(2)).kind, 'fenced');
  await guard.read();
  const objects = recorded.map(({ object }) => object?.split(':').at(-1));
  assert.deepEqual(objects, ['stale', 'fenced']);
  assert.ok(recorded.every(({ subject }) => subject === 'rag_sage'));
});

test('handshakes that Redis refuses', async () => {
  const { host, port } = redis.endpoint;
  const socket = connect({ host, port, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.on('close', resolve));
  await guard.read();
  assert.equal(total('redis_tls'), 1);
  assert.match(String(recorded[0]?.reason), /certificate/);
});

test('a log that was full is an incident and stands in the audit', async () => {
  await redis.admin.command(['CONFIG', 'SET', 'acllog-max-len', '3']);
  const small = new RedisGuard({
    admin: redis.admin,
    logFile: null,
    audit: { record: (entry) => void recorded.push(entry) },
    log: createLogger({ name: 'test', ...defaultConfig.log, file: redis.folder.logFile('test') }),
    onOverflow: (reason) => overflows.push(reason),
  });
  const admin = redis.admin as unknown as { command: (args: readonly string[]) => Promise<unknown> };
  const command = admin.command;
  // A Redis that does not let its log be made longer.
  admin.command = (args) =>
    args[1] === 'SET' ? Promise.reject(new Error('no')) : command.call(redis.admin, args);
  await small.start();
  admin.command = command;
  const connection = await connectionOf('servant_1');
  for (const key of ['a', 'b', 'c', 'd']) await assert.rejects(connection.command(['HGET', key, 'x']));
  await small.read();
  assert.ok(overflows.length > 0);
  assert.equal(recorded.filter(({ event }) => event === 'redis_acl_overflow').length, overflows.length);
  connection.close();
  await small.stop();
});
