import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { processRecord } from '../../../src/protocol/process.ts';
import { ManagedRedis, type ManagedRedisOptions } from '../../../src/supervision/redis/redis-server.ts';
import { isSameProcess } from '../../../src/telemetry/process-identity.ts';
import { commitOf, hasCode } from '../../messaging/conformance.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function started(): Promise<TestRedis> {
  const redis = await startTestRedis();
  cleanups.push(() => redis.stop());
  return redis;
}

async function optionsOf(redis: TestRedis): Promise<ManagedRedisOptions> {
  const { tree, folder, config, authority, endpoint } = redis;
  const tls = await redis.tlsOf('manager');
  return { tree, folder, config, authority, port: endpoint.port, tls: () => tls };
}

function recordOf(redis: TestRedis) {
  return processRecord.parse(JSON.parse(readFileSync(redis.folder.processRecord('redis'), 'utf8')));
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('no secret of it stands on disk, in its arguments or its environment', async () => {
  const redis = await started();
  await redis.createIncarnation('task_sage');
  const password = readFileSync(join(redis.folder.secret, 'redis-admin-password'), 'utf8').trim();
  assert.ok(password.length >= 32);
  assert.equal(statSync(join(redis.folder.secret, 'redis-admin-password')).mode & 0o777, 0o600);
  const { pid } = recordOf(redis);
  const elsewhere = filesBelow(redis.folder.root).filter((path) => !path.startsWith(redis.folder.secret));
  assert.ok(elsewhere.some((path) => path.endsWith('redis.conf')));
  for (const path of [...elsewhere, `/proc/${pid}/cmdline`, `/proc/${pid}/environ`]) {
    const text = readFileSync(path, 'utf8');
    assert.ok(!text.includes('PRIVATE KEY'), path);
    assert.ok(!text.includes(password), path);
  }
  for (const path of [redis.folder.redis, redis.folder.log]) assert.equal(statSync(path).mode & 0o077, 0);
});

test('it refuses whoever shows no certificate of the tree', async () => {
  const redis = await started();
  const { port } = redis.endpoint;
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  // TLS 1.3 lets the client finish before the server has looked at it: the refusal comes with the first answer.
  socket.on('secureConnect', () => socket.write('*1\r\n$4\r\nPING\r\n'));
  let answer = '';
  socket.on('data', (data) => (answer += String(data)));
  socket.on('error', () => undefined);
  await once(socket, 'close').catch(() => undefined);
  assert.equal(answer, '');
});

test('a taken port names who holds it, and nothing is left', async () => {
  const redis = await started();
  const options = await optionsOf(redis);
  const holder: Server = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  cleanups.push(async () => holder.close());
  const { port } = holder.address() as { port: number };
  const other = await ManagedRedis.open({ ...options, port });
  cleanups.push(async () => other.release());
  await assert.rejects(other.start({ restarts: 0 }), (error: Error) => {
    assert.ok(hasCode('port_taken')(error));
    assert.match(error.message, new RegExp(`pid ${process.pid}`));
    return true;
  });
});

test('a missing program is named', async () => {
  const redis = await started();
  const options = await optionsOf(redis);
  await redis.kill();
  const other = await ManagedRedis.open({ ...options, program: 'no-such-redis-server' });
  cleanups.push(async () => other.release());
  await assert.rejects(other.start({ restarts: 0 }), hasCode('missing_program'));
});

test('a start that is given up leaves nothing', async () => {
  const redis = await started();
  await redis.kill();
  const other = await ManagedRedis.open(await optionsOf(redis));
  cleanups.push(async () => other.release());
  const abort = new AbortController();
  const starting = other.start({ restarts: 0, signal: abort.signal });
  const refused = assert.rejects(starting);
  abort.abort();
  await refused;
  assert.deepEqual(
    readdirSync(redis.folder.run).filter((file) => file.startsWith('redis')),
    [],
  );
});

test('the next manager takes it over, sees it end, and users live on', async () => {
  const redis = await started();
  const credential = await redis.createIncarnation('task_sage');
  const record = recordOf(redis);
  redis.managed.release();
  const next = await ManagedRedis.open(await optionsOf(redis));
  const adopted = await next.adopt(record);
  assert.equal(adopted?.identity.pid, record.pid);
  const sage = await redis.brokerFor('task_sage', { credential });
  assert.deepEqual(await sage.commit(commitOf(1)), { kind: 'ok' });
  adopted.kill('SIGKILL');
  assert.deepEqual(await adopted.exited, { code: null, signal: null });
  assert.equal(await next.adopt(record), null);
  const again = await next.start({ restarts: 1 });
  assert.equal((await sage.load()).commitNumber, 1);
  await next.stop(5_000);
  assert.ok(!isSameProcess(again.identity));
});

test('stopping flushes what `everysec` has not yet', async () => {
  const redis = await startTestRedis({ appendfsync: 'everysec' });
  cleanups.push(() => redis.stop());
  const credential = await redis.createIncarnation('task_sage');
  const sage = await redis.brokerFor('task_sage', { credential });
  for (let number = 1; number <= 50; number += 1) await sage.commit(commitOf(number));
  const record = recordOf(redis);
  await redis.managed.stop(60_000);
  assert.ok(!isSameProcess(record));
  const next = await ManagedRedis.open(await optionsOf(redis));
  await next.start({ restarts: 1 });
  assert.equal((await sage.load()).commitNumber, 50);
  await next.stop(5_000);
});

test('a Redis whose default user may not replay its file is refused', async () => {
  const redis = await started();
  assert.deepEqual((await redis.admin.verify()).warnings, []);
  await redis.admin.command(['ACL', 'SETUSER', 'default', '-@all']);
  await assert.rejects(redis.admin.verify(), hasCode('redis_refused'));
});

test('a Redis that cannot start says why', async () => {
  const redis = await started();
  const options = await optionsOf(redis);
  await redis.kill();
  const other = await ManagedRedis.open(options);
  cleanups.push(async () => other.release());
  const manifest = filesBelow(redis.folder.redis).find((path) => path.endsWith('.manifest'))!;
  writeFileSync(manifest, 'damaged\n');
  await assert.rejects(other.start({ restarts: 0 }), (error: Error) => {
    assert.ok(hasCode('start_failed')(error));
    assert.match(error.message, /manifest/);
    return true;
  });
});
