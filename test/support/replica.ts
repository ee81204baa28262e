import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisAdmin } from '../../src/supervision/redis/redis-admin.ts';
import { adminPassword, adminUsername } from '../../src/supervision/redis/redis-files.ts';
import { freePort } from './free-port.ts';
import type { TestRedis } from './redis.ts';

/** A second Redis that follows the first, over TLS, until it is promoted. */
export interface Replica {
  readonly port: number;
  readonly admin: RedisAdmin;
  /** Resolves when it has all that the first one had at the time of the call. */
  inStep(): Promise<void>;
  /** Makes it follow nobody, as what it has then. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a replica of a test's Redis with the same users for administration and none of the elders'. */
export async function startReplica(redis: TestRedis): Promise<Replica> {
  const folder = await mkdtemp(join(tmpdir(), 'elders-replica-'));
  const port = await freePort();
  const password = await adminPassword(redis.folder);
  const hash = createHash('sha256').update(password).digest('hex');
  const issued = await redis.authority.issueWithKey({
    name: 'redis',
    addresses: ['127.0.0.1'],
    lifetimeMs: 3_600_000,
  });
  const files = {
    'server.pem': issued.certificatePem,
    'server.key': issued.privateKeyPem,
    'ca.pem': redis.authority.caPem,
    'users.acl': `user default off resetpass ~* &* +@all\nuser ${adminUsername} on #${hash} ~* &* +@all\n`,
    'redis.conf': [
      'port 0',
      `tls-port ${port}`,
      'bind 127.0.0.1',
      'tls-auth-clients yes',
      'tls-replication yes',
      'tls-cert-file server.pem',
      'tls-key-file server.key',
      'tls-ca-cert-file ca.pem',
      'aclfile users.acl',
      'appendonly yes',
      'save ""',
      'repl-diskless-sync-delay 0',
      `replicaof 127.0.0.1 ${redis.endpoint.port}`,
      `masteruser ${adminUsername}`,
      `masterauth ${password}`,
    ].join('\n'),
  };
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { mode: 0o600 });
  const child = spawn('redis-server', ['redis.conf'], { cwd: folder, stdio: 'ignore' });
  const tls = await redis.tlsOf('manager');
  const admin = new RedisAdmin({
    tree: redis.tree,
    servants: redis.servants,
    endpoint: { ...redis.endpoint, port },
    credential: { username: adminUsername, password },
    tls: () => tls,
  });
  await admin.ready({ waitMs: 60_000 });
  return {
    port,
    admin,
    async inStep() {
      // WAIT answers when so many replicas have acknowledged all writes before it.
      const count = Number(await redis.admin.command(['WAIT', '1', '120000'], { timeoutMs: 150_000 }));
      if (count !== 1) throw new Error('the replica does not follow');
    },
    async promote() {
      await admin.command(['REPLICAOF', 'NO', 'ONE']);
    },
    async stop() {
      admin.close();
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
