import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { connect } from 'node:tls';
import { RedisConnection } from '../../../../src/messaging/redis/redis-connection.ts';
import { replyArray } from '../../../../src/messaging/redis/replies.ts';
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
const changes: string[] = [];

before(async () => {
  redis = await startTestRedis();
  guard = new RedisGuard({
    admin: redis.admin,
    logFile: redisPaths(redis.folder).log,
    audit: { record: (entry) => void recorded.push(entry) },
    log: createLogger({ name: 'test', ...defaultConfig.log, file: redis.folder.logFile('test') }),
    onOverflow: (reason) => overflows.push(reason),
    onChanged: (reason) => changes.push(reason),
    lenient: false,
  });
  await guard.start();
  // From here on it reads and looks when a test says so, and never in between.
  await guard.stop();
});
after(() => redis.stop());
beforeEach(async () => {
  await guard.read();
  recorded.length = 0;
  overflows.length = 0;
  changes.length = 0;
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
  const { endpoint } = redis;
  const tls = await redis.tlsOf('servant_1');
  const { username } = await redis.createIncarnation('task_sage');
  const socket = connect({
    ...tls,
    host: endpoint.host,
    port: endpoint.port,
    checkServerIdentity: () => undefined,
  });
  socket.write(`AUTH ${username} guessed\r\nPING\r\nGET x\r\n`);
  let answers = '';
  while (answers.split('\r\n').length <= 3) answers += String((await once(socket, 'data'))[0]);
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
  // Redis notes it after it has told the client.
  while (total('redis_tls') === 0) await guard.read();
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
    onChanged: (reason) => changes.push(reason),
    lenient: false,
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

test('a user that somebody widens while the tree runs is fenced, told of and audited; others are left alone', async () => {
  const { admin, keys } = redis;
  const connection = await connectionOf('servant_1');
  const other = await connectionOf('servant_2');
  await guard.look();
  assert.deepEqual(changes, [], 'a user that is as it should be is nothing to tell of');
  const users = replyArray(await admin.command(['ACL', 'USERS']), 'users').map(String);
  const widened = users.find((user) => admin.users.principalOf(user) === 'servant_1')!;
  await admin.command(['ACL', 'SETUSER', widened, '+hgetall', '~*']);
  // Until somebody looks it works: this is what the look is for.
  await connection.command(['HGETALL', keys.state('grand_elder')]);
  await guard.look();
  await assert.rejects(connection.command(['PING']));
  await other.command(['PING']);
  assert.equal(total('redis_user_fenced'), 1);
  assert.match(changes.join(), /keys ~\* that it must not have/);
  const [entry] = recorded.filter(({ event }) => event === 'redis_user_fenced');
  assert.equal(entry?.subject, 'servant_1');
  await guard.look();
  assert.equal(changes.length, 1, 'and told once');
  connection.close();
  other.close();
});

test('so is a stranger that reaches into the tree, and a change of the server’s own users', async () => {
  const { admin } = redis;
  await admin.command(['ACL', 'SETUSER', 'harmless', 'on', '>x', '~other:*', '+get']);
  await guard.look();
  assert.deepEqual(changes, []);
  await admin.command(['ACL', 'SETUSER', 'harmless', '~*', '+@all']);
  await admin.command(['ACL', 'SETUSER', 'default', '>x']);
  await guard.look();
  assert.equal(total('redis_user_changed'), 2);
  assert.match(changes.join(), /user harmless reaches into the tree/);
  assert.match(changes.join(), /rules of its user default were changed/);
  await admin.command(['ACL', 'DELUSER', 'harmless']);
  await admin.command(['ACL', 'SETUSER', 'default', 'resetpass']);
});

test('where the tree may run on an open Redis, the user is left and told of all the same', async () => {
  const { admin } = redis;
  const lenient = new RedisGuard({
    admin,
    logFile: null,
    audit: { record: (entry) => void recorded.push(entry) },
    log: createLogger({ name: 'test', ...defaultConfig.log, file: redis.folder.logFile('test') }),
    onOverflow: () => undefined,
    onChanged: (reason) => changes.push(reason),
    lenient: true,
  });
  const connection = await connectionOf('servant_1');
  await lenient.look();
  const users = replyArray(await admin.command(['ACL', 'USERS']), 'users').map(String);
  const widened = users.find((user) => admin.users.principalOf(user) === 'servant_1')!;
  await admin.command(['ACL', 'SETUSER', widened, '+set']);
  await lenient.look();
  assert.equal(total('redis_user_changed'), 1);
  await connection.command(['PING']);
  connection.close();
});
