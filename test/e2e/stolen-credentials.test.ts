import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { clientTls } from '../../src/identity/tls.ts';
import { RedisConnection } from '../../src/messaging/redis/redis-connection.ts';
import { replyArray } from '../../src/messaging/redis/replies.ts';
import type { AuditRecord } from '../../src/protocol/audit.ts';
import type { CertificateRevocation } from '../../src/protocol/certificates.ts';
import { portLimits } from '../../src/protocol/limits.ts';
import { readAudit } from '../../src/telemetry/audit/read-audit.ts';
import { callElders } from '../cli/elders-command.ts';
import { everyPlace, placesOf } from '../support/secret-search.ts';
import { type Stolen, StolenCredentials } from '../support/stolen-credentials.ts';
import { SupervisedTree } from '../support/supervised-tree.ts';

const thief = new StolenCredentials();
let tree: SupervisedTree;

before(async () => {
  tree = await SupervisedTree.create({ servants: 1 });
  const { portBase } = tree.options.config;
  writeFileSync(join(tree.project, 'elders.yaml'), JSON.stringify({ portBase }));
  await tree.up({ launch: thief.program });
});
after(async () => {
  await tree.remove();
  thief.remove();
});

const keysOf = (name: string) => thief.keysOf(tree.folder, name);

/** Every form in which somebody might write a key down; those parts of it that are secret. */
function formsOf(key: KeyObject): string[] {
  const secret = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
  const pem = (['pkcs8', 'sec1'] as const).flatMap((type) =>
    String(key.export({ format: 'pem', type }))
      .split('\n')
      .slice(1, 3),
  );
  const texts = (['latin1', 'hex', 'base64', 'base64url'] as const).map((form) => secret.toString(form));
  const turned = Buffer.from(secret).reverse().toString('latin1');
  return [...texts, secret.toString('hex').toUpperCase(), turned, ...pem];
}

const names = () => tree.status.elders.map(({ name }) => name);

function secrets(keys: readonly KeyObject[]) {
  return { texts: keys.flatMap(formsOf), hashes: new Set<string>() };
}

test('the private keys of elders are found nowhere: files, dumps, logs, arguments, environments, what a task reaches', async () => {
  const keys = names().flatMap(keysOf);
  assert.ok(keys.length >= names().length, 'each has made one');
  const listed = await callElders(['cert', 'list', '--json'], { cwd: tree.project });
  assert.equal(listed.code, 0, listed.stderr);
  const reach =
    'cat /proc/*/environ /proc/*/cmdline /proc/*/maps || :; env; find / -path "*/.elders/*" -type f -exec cat {} + || :';
  const input = JSON.stringify({ directive: 'Reach', tasks: [{ id: 't', run: reach }] });
  const { code, stderr } = await callElders(['directive', 'submit', '-', '--wait'], {
    cwd: tree.project,
    input,
  });
  assert.equal(code, 0, stderr);
  const admin = await tree.redis();
  await admin.command(['BGREWRITEAOF']);
  await admin.command(['SAVE']).catch(() => undefined);
  admin.close();
  const places = everyPlace(tree.project);
  assert.ok(places.size > 40);
  assert.deepEqual(placesOf(secrets(keys), places), []);
});

test('nor after a crash: it leaves no core and no report', async () => {
  const pid = tree.pid('task_sage');
  const before = new Set(readdirSync(tree.project));
  process.kill(pid, 'SIGUSR2');
  await tree.until(() => {
    const { pid: now, state } = tree.elder('task_sage');
    return now !== null && now !== pid && state === 'ready';
  });
  const keys = keysOf('task_sage');
  assert.ok(keys.length >= 2, 'its successor has made another');
  const places = everyPlace(tree.project);
  assert.deepEqual(placesOf(secrets(keys), places), []);
  assert.deepEqual(
    readdirSync(tree.project).filter((name) => !before.has(name)),
    [],
  );
  assert.deepEqual(
    [...places.keys()].filter((path) => /core|report\.|heapsnapshot/.test(path.slice(tree.project.length))),
    [],
  );
});

test('controls: these are the keys that the elders are known by, and each form is found where it is written', async () => {
  for (const { name } of tree.status.elders) {
    const { privateKey, certificate } = thief.of(tree.folder, name);
    assert.ok(certificate.checkPrivateKey(privateKey), name);
    assert.ok(createPublicKey(privateKey).equals(certificate.publicKey), name);
  }
  const [key] = keysOf('task_sage');
  const log = tree.folder.logFile('task_sage');
  for (const form of formsOf(key!)) {
    writeFileSync(log, Buffer.from(`{"msg":"${form}"}\n`, 'latin1'));
    assert.deepEqual(placesOf(secrets([key!]), everyPlace(tree.project)), [log]);
  }
  writeFileSync(log, '');
});

/** Opens a connection to an elder with stolen credentials. */
function dial(stolen: Stolen, target: string, port: number): TLSSocket {
  const key = stolen.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const identity = { certificate: stolen.certificate.toString(), key, ca: stolen.ca };
  const tls = clientTls({ ...identity, tree: tree.status.tree, expect: target });
  return connect({ ...tls, host: '127.0.0.1', port });
}

/** Whether an elder answers on a connection. */
async function answers(socket: TLSSocket): Promise<boolean> {
  if (socket.closed) return false;
  socket.on('error', () => undefined);
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  const ended = new Promise<false>((resolve) => socket.once('close', () => resolve(false)));
  return Promise.race([
    once(socket, 'data').then(
      () => true,
      () => ended,
    ),
    ended,
  ]);
}

function redisAs({ privateKey, certificate, ca, redis: credential }: Stolen): RedisConnection {
  const tls = {
    cert: certificate.toString(),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    ca,
  };
  const { host, port } = tree.status.redis;
  return new RedisConnection({
    tree: tree.status.tree,
    endpoint: { host, port },
    credential,
    tls: () => tls,
  });
}

test('once `cert revoke` has returned, no elder and no Redis takes what was stolen, on live connections either', async () => {
  const [stolen, other] = ['servant_1', 'claude_elder'].map((name) => thief.of(tree.folder, name)) as [
    Stolen,
    Stolen,
  ];
  const peers = tree.status.elders.filter(({ name }) => name !== 'servant_1');
  const live = peers.map(({ name, port }) => dial(stolen, name, port));
  const neighbours = peers.map(({ name, port }) => dial(other, name, port));
  const redis = redisAs(stolen);
  assert.deepEqual(
    await Promise.all(live.map(answers)),
    peers.map(() => true),
    'before, it opens every port',
  );
  // One that never said anything would be ended for that, and one that is idle later.
  const heard = performance.now();
  assert.deepEqual(
    await Promise.all(neighbours.map(answers)),
    peers.map(() => true),
  );
  assert.equal(await redis.command(['PING']), 'PONG');
  // `once` would reject where one is reset.
  const cut = Promise.all(
    live.map((socket) => new Promise<void>((gone) => socket.once('close', () => gone()))),
  );
  const { code, stdout, stderr } = await callElders(['cert', 'revoke', 'servant_1', '--json'], {
    cwd: tree.project,
  });
  assert.equal(code, 0, stderr);
  const { pending, serials } = JSON.parse(stdout) as CertificateRevocation;
  assert.deepEqual(pending, []);
  assert.ok(serials.includes(stolen.certificate.serialNumber));
  const again = peers.map(({ name, port }) => dial(stolen, name, port));
  assert.deepEqual(
    await Promise.all(again.map(answers)),
    peers.map(() => false),
    'nobody opens to it again',
  );
  await assert.rejects(redis.command(['PING']));
  const anew = redisAs(stolen);
  await assert.rejects(anew.command(['PING']));
  await cut;
  const stay = await Promise.all(neighbours.map(answers));
  if (performance.now() - heard < portLimits.elder.idleMs) {
    assert.deepEqual(
      stay,
      peers.map(() => true),
      'control: another stays',
    );
  }
  for (const socket of [...neighbours, ...again]) socket.destroy();
  for (const connection of [redis, anew]) connection.close();
});

test('rights that somebody widens in Redis while the tree runs are taken back, and told of', async () => {
  await tree.until(() => tree.elder('servant_1').state === 'ready');
  const { username } = thief.of(tree.folder, 'servant_1').redis;
  const before = tree.pid('servant_1');
  const admin = await tree.redis();
  await admin.command(['ACL', 'SETUSER', username, '~*', '+@all']);
  await tree.until(() => {
    const { pid, state } = tree.elder('servant_1');
    return pid !== null && pid !== before && state === 'ready';
  });
  const users = replyArray(await admin.command(['ACL', 'USERS']), 'users');
  admin.close();
  assert.ok(!users.includes(username));
  assert.equal(thief.of(tree.folder, 'servant_1').redis.incarnation > 1, true);
  let record: AuditRecord | undefined;
  // The log is written a little after what it tells of.
  while (record === undefined) {
    const denials = await readAudit(tree.folder.audit, { kind: 'denial' });
    record = denials.find(({ event }) => event === 'redis_user_fenced');
  }
  assert.equal(record?.subject, 'servant_1');
  assert.match(record?.reason ?? '', /keys ~\* that it must not have/);
});
