import assert from 'node:assert/strict';
import { createPrivateKey, randomUUID } from 'node:crypto';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Authority } from '../../../src/identity/authority.ts';
import { Credentials } from '../../../src/identity/credentials.ts';
import { RedisConnection } from '../../../src/messaging/redis/redis-connection.ts';
import {
  type CertificateList,
  type CertificateRevocation,
  certificateList,
  certificateRevocation,
  processHealth,
} from '../../../src/protocol/certificates.ts';
import { ElderClient } from '../../../src/supervision/elders/elder-client.ts';
import { RedisAdmin } from '../../../src/supervision/redis/redis-admin.ts';
import { appears } from '../../support/appears.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

async function list(tree: SupervisedTree): Promise<CertificateList> {
  return certificateList.parse(JSON.parse((await tree.ask('GET', '/v1/certificates')).body));
}

function currentSerial({ certificates }: CertificateList, name: string): string | undefined {
  return certificates.find((row) => row.name === name && row.state === 'current')?.serial;
}

async function revoke(tree: SupervisedTree, name: string, restart = true): Promise<CertificateRevocation> {
  const { status, body } = await tree.ask(
    'POST',
    '/v1/certificates/revoke',
    JSON.stringify({ name, restart }),
  );
  assert.equal(status, 200, body);
  return certificateRevocation.parse(JSON.parse(body));
}

/** Asks an elder as the manager, with a certificate of this authority; the status, or the code of the refusal. */
async function askAsManager(tree: SupervisedTree, authority: Authority, name: string, ca = authority.caPem) {
  const issued = await authority.issueWithKey({ name: 'manager', addresses: [], lifetimeMs: 60_000 });
  const mine = { certificate: issued.certificatePem, privateKey: createPrivateKey(issued.privateKeyPem) };
  const credentials = new Credentials({
    tree: authority.treeId,
    name: 'manager',
    ca: authority.caPem,
    ...mine,
  });
  if (ca !== authority.caPem) credentials.replaceTrust({ ca: `${ca}${authority.caPem}`, revoked: [] });
  const { port } = tree.elder(name);
  const client = new ElderClient({ credentials, tree: authority.treeId, name, host: '127.0.0.1', port });
  try {
    return (await client.request({ method: 'GET', path: '/healthz', timeoutMs: 20_000 })).status;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    client.close();
  }
}

describe('certificates of a tree', () => {
  let tree: SupervisedTree;
  before(async () => {
    tree = await SupervisedTree.create({
      certificates: { connectionAge: '2s' },
      supervision: { intensity: 3 },
    });
    await tree.up();
  });
  after(() => tree.remove());

  test('are listed with serial number, names and state', async () => {
    const { certificates, rotation } = await list(tree);
    assert.equal(rotation, 'none');
    const current = certificates.filter(({ state }) => state === 'current');
    const expected = ['manager', 'redis', ...tree.status.elders.map(({ name }) => name)];
    assert.deepEqual(current.map(({ name }) => name).toSorted(), expected.toSorted());
    for (const row of current) {
      assert.match(row.serial, /^[0-9A-F]{32}$/);
      assert.ok(row.subjectAltName.startsWith(`URI:spiffe://${tree.status.tree}/elder/${row.name}, `));
      assert.ok(row.expiresAt > row.issuedAt);
    }
  });

  test('are renewed on demand, without a restart', async () => {
    for (const name of ['rag_sage', 'manager', 'redis']) {
      const before = currentSerial(await list(tree), name);
      const pids = tree.pids();
      const answer = await tree.ask('POST', '/v1/certificates/rotate', JSON.stringify({ what: 'one', name }));
      assert.equal(answer.status, 200, answer.body);
      assert.notEqual(currentSerial(await list(tree), name), before);
      assert.deepEqual(tree.pids(), pids);
    }
    const unknown = await tree.ask('POST', '/v1/certificates/rotate', '{"what":"one","name":"../x"}');
    assert.equal(unknown.status, 404);
  });

  test('of a process are taken back: user, certificate and process are gone, a successor comes', async () => {
    const { pid, incarnation } = tree.elder('servant_1');
    const serial = currentSerial(await list(tree), 'servant_1');
    const done = await revoke(tree, 'servant_1');
    assert.ok(done.serials.includes(serial as string));
    assert.deepEqual(done.pending, []);
    const others = tree.status.elders.map(({ name }) => name).filter((name) => name !== 'servant_1');
    assert.deepEqual(done.refusedBy.toSorted(), ['manager', ...others].toSorted());
    await tree.until(() => tree.elder('servant_1').state === 'ready');
    assert.notEqual(tree.elder('servant_1').pid, pid);
    assert.ok(tree.elder('servant_1').incarnation > incarnation);
    const row = (await list(tree)).certificates.find((each) => each.serial === serial);
    assert.equal(row?.state, 'revoked');
    const redis = await tree.redis();
    const users = (await redis.command(['ACL', 'USERS'])) as string[];
    redis.close();
    assert.ok(!users.includes(`${tree.status.tree}.servant_1.${incarnation}`));
  });

  test('as often as somebody wishes: an order is no crash that a process would be given up for', async () => {
    const { intensity } = tree.options.config.supervision;
    for (let count = 0; count <= intensity; count += 1) {
      const { incarnation } = tree.elder('servant_1');
      await revoke(tree, 'servant_1');
      await tree.until(() => {
        const { state, incarnation: now } = tree.elder('servant_1');
        return state === 'failed' || (state === 'ready' && now > incarnation);
      });
    }
    assert.equal(tree.elder('servant_1').state, 'ready');
  });

  test('of an incarnation that was superseded are refused from then on', async () => {
    const serial = currentSerial(await list(tree), 'servant_2');
    process.kill(tree.pid('servant_2'), 'SIGKILL');
    const { incarnation } = tree.elder('servant_2');
    await tree.until(() => tree.elder('servant_2').incarnation > incarnation);
    await tree.until(() => tree.elder('servant_2').state === 'ready');
    // Put off until the successor works, for a second at most.
    const rowOf = async () => (await list(tree)).certificates.find((each) => each.serial === serial);
    let row = await rowOf();
    while (row?.state !== 'revoked') row = await rowOf();
    assert.match(row.reason ?? '', /superseded by incarnation/);
  });

  test('of the manager and of Redis can be taken back too', async () => {
    const pids = tree.pids();
    const own = await revoke(tree, 'manager');
    assert.deepEqual([own.pending, own.restarted], [[], true]);
    const redisPid = tree.status.redis.pid;
    const served = await revoke(tree, 'redis');
    assert.deepEqual(served.pending, []);
    await tree.until(() => tree.status.redis.pid !== redisPid && tree.status.state === 'ready');
    assert.deepEqual(tree.pids(), pids, 'nobody else was restarted');
  });

  test('of a new authority reach everybody without a restart, and then the old one counts no more', async () => {
    const old = await Authority.open(tree.folder.secret, tree.status.tree);
    assert.equal(await askAsManager(tree, old, 'task_sage'), 200);
    const pids = tree.pids();
    const before = await list(tree);
    const answer = await tree.ask('POST', '/v1/certificates/rotate', '{"what":"authority"}');
    assert.equal(answer.status, 200, answer.body);
    const now = await list(tree);
    assert.equal(now.rotation, 'none');
    assert.notEqual(now.root, before.root);
    assert.deepEqual(tree.pids(), pids);
    const renewed = await Authority.open(tree.folder.secret, tree.status.tree);
    assert.equal(await askAsManager(tree, renewed, 'task_sage'), 200);
    const refused = await askAsManager(tree, old, 'task_sage', renewed.caPem);
    assert.notEqual(refused, 200);
    assert.equal(await redisServes(tree, renewed), true);
    assert.equal(await redisServes(tree, old, renewed.caPem), false);
    await tree.until(() => tree.status.state === 'ready');
  });

  test('the health of each process can be asked for without a certificate', async () => {
    const ask = async (name: string) => {
      const { status, body } = await tree.ask('GET', `/v1/health?name=${name}`);
      return status === 200 ? processHealth.parse(JSON.parse(body)) : status;
    };
    for (const name of ['manager', 'redis', 'grand_elder']) {
      assert.deepEqual(await ask(name), { name, live: true, ready: true, reason: null });
    }
    await tree.tell('rag_sage', 'unready');
    const unready = await ask('rag_sage');
    assert.deepEqual(unready, { name: 'rag_sage', live: true, ready: false, reason: 'told to be unready' });
    await tree.untell('rag_sage', 'unready');
    assert.equal(await ask('nobody'), 404);
  });

  test('that are over do not keep a connection to Redis open: one that is not replaced is cut', async () => {
    const authority = await Authority.open(tree.folder.secret, tree.status.tree);
    const issued = await authority.issueWithKey({ name: 'rag_sage', addresses: [], lifetimeMs: 60_000 });
    const admin = await tree.redis();
    const { host, port } = tree.status.redis;
    const username = `${tree.status.tree}.stays.1`;
    await admin.command(['ACL', 'SETUSER', username, 'on', '>secret', '+ping']);
    const { promise: lost, resolve } = Promise.withResolvers<void>();
    const staying = new RedisConnection({
      tree: tree.status.tree,
      endpoint: { host, port },
      credential: { username, password: 'secret' },
      tls: () => ({ cert: issued.certificatePem, key: issued.privateKeyPem, ca: authority.caPem }),
      onState: (connected) => connected || resolve(),
    });
    await staying.command(['PING']);
    await lost;
    staying.close();
    await admin.command(['ACL', 'DELUSER', username]);
    admin.close();
  });

  test('without a successor the process stays away', async () => {
    const done = await revoke(tree, 'servant_1', false);
    assert.equal(done.restarted, false);
    assert.equal(tree.elder('servant_1').state, 'stopped');
  });

  async function redisServes(
    of: SupervisedTree,
    authority: Authority,
    ca = authority.caPem,
  ): Promise<boolean> {
    const issued = await authority.issueWithKey({ name: 'manager', addresses: [], lifetimeMs: 60_000 });
    const { host, port } = of.status.redis;
    const admin = new RedisAdmin({
      tree: of.status.tree,
      servants: 2,
      endpoint: { host, port },
      credential: { username: 'nobody', password: randomUUID() },
      tls: () => ({ cert: issued.certificatePem, key: issued.privateKeyPem, ca }),
    });
    try {
      await admin.command(['PING']);
      return true;
    } catch (error) {
      // It asks for the user only after it has taken the certificate.
      return (error as { code: string }).code === 'fenced';
    } finally {
      admin.close();
    }
  }
});

test('a manager that dies in the middle of a new authority is followed by one that finishes it', async () => {
  const tree = await SupervisedTree.create();
  try {
    await tree.upApart();
    const { body } = await tree.ask('GET', '/v1/status');
    const { tree: id, elders } = JSON.parse(body) as {
      tree: string;
      elders: { name: string; pid: number }[];
    };
    const old = (await Authority.open(tree.folder.secret, id)).fingerprint;
    const hanging = elders.find(({ name }) => name === 'rag_sage')?.pid as number;
    // It cannot confirm, so the new root must not sign yet.
    process.kill(hanging, 'SIGSTOP');
    const next = join(tree.folder.secret, 'ca-next.pem');
    tree.ask('POST', '/v1/certificates/rotate', '{"what":"authority"}').catch(() => undefined);
    await appears(next);
    assert.equal((await Authority.open(tree.folder.secret, id)).fingerprint, old);
    await tree.killManager();
    assert.equal((await Authority.open(tree.folder.secret, id)).rotation, 'introduced');
    process.kill(hanging, 'SIGCONT');
    await tree.up();
    await untilRotated(tree.folder.secret);
    const finished = await Authority.open(tree.folder.secret, id);
    assert.notEqual(finished.fingerprint, old);
    assert.equal(await askAsManager(tree, finished, 'rag_sage'), 200);
    const pids = Object.fromEntries(elders.map(({ name, pid }) => [name, pid]));
    assert.deepEqual(tree.pids(), pids, 'nobody was restarted');
  } finally {
    await tree.remove();
  }
});

/** Resolves when no rotation is under way any more. */
async function untilRotated(secretDir: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (!['ca-next.pem', 'ca-old.pem'].some((name) => existsSync(join(secretDir, name)))) resolve();
  };
  const watcher = watch(secretDir, look);
  look();
  await promise;
  watcher.close();
}
