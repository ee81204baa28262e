import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { createClient } from '@redis/client';
import { Authority } from '../../src/identity/authority.ts';
import { createRedisUser } from '../../src/identity/redis-user.ts';
import { clientTls, type TlsIdentity } from '../../src/identity/tls.ts';
import { freePort } from '../support/free-port.ts';

describe('a Redis that wants client certificates', () => {
  const tree = 'tree-1';
  const user = createRedisUser(tree, 'task_sage', 1);
  let folder: string;
  let redis: ChildProcess;
  let port: number;
  let authority: Authority;
  let sage: TlsIdentity;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'elders-redis-'));
    authority = await Authority.create(tree);
    sage = await identity('task_sage');
    const own = await identity('redis');
    port = await freePort();
    const path = (name: string) => join(folder, name);
    await writeFile(path('cert.pem'), own.certificate);
    await writeFile(path('key.pem'), own.key, { mode: 0o600 });
    await writeFile(path('ca.pem'), own.ca);
    const config = [
      'port 0',
      'bind 127.0.0.1',
      `tls-port ${port}`,
      `tls-cert-file ${path('cert.pem')}`,
      `tls-key-file ${path('key.pem')}`,
      `tls-ca-cert-file ${path('ca.pem')}`,
      'tls-auth-clients yes',
      'tls-protocols TLSv1.3',
      'save ""',
      `dir ${folder}`,
      'user default off',
      `user ${user.credential.username} on #${user.passwordHash} +ping`,
    ];
    await writeFile(path('redis.conf'), `${config.join('\n')}\n`);
    redis = spawn('redis-server', [path('redis.conf')], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: redis.stdout! })) {
      if (line.includes('Ready to accept connections')) break;
    }
    redis.stdout?.resume();
  });
  after(async () => {
    redis.kill('SIGKILL');
    if (redis.exitCode === null && redis.signalCode === null) await once(redis, 'exit');
    await rm(folder, { recursive: true });
  });

  async function identity(name: string, from = authority): Promise<TlsIdentity> {
    const issued = await from.issueWithKey({ name, addresses: ['127.0.0.1'], lifetimeMs: 3_600_000 });
    return { certificate: issued.certificatePem, key: issued.privateKeyPem, ca: authority.caPem };
  }

  async function ping(tls: object): Promise<string> {
    const { username, password } = user.credential;
    const client = createClient({
      username,
      password,
      socket: { host: '127.0.0.1', port, tls: true, reconnectStrategy: false, ...tls },
    });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.ping();
    } finally {
      client.destroy();
    }
  }

  test('serves a client of the tree that knows the password', async () => {
    assert.equal(await ping(clientTls({ ...sage, tree, expect: 'redis' })), 'PONG');
  });

  test('is not talked to when it is not the principal expected', async () => {
    await assert.rejects(ping(clientTls({ ...sage, tree, expect: 'manager' })), /manager is required/);
  });

  test('refuses a client without a certificate', async () => {
    const { checkServerIdentity } = clientTls({ ...sage, tree, expect: 'redis' });
    await assert.rejects(ping({ ca: sage.ca, checkServerIdentity }));
  });

  test('refuses a client of another authority', async () => {
    const stranger = await identity('task_sage', await Authority.create(tree));
    await assert.rejects(ping(clientTls({ ...stranger, tree, expect: 'redis' })));
  });
});
