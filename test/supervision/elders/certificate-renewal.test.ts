import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { Authority } from '../../../src/identity/authority.ts';
import { Credentials } from '../../../src/identity/credentials.ts';
import { createKeyPair, spkiOf } from '../../../src/identity/key-proof.ts';
import { clientTls } from '../../../src/identity/tls.ts';
import { keepFresh, renewalDelay } from '../../../src/supervision/certificates/keep-fresh.ts';
import { renewCertificate } from '../../../src/supervision/elders/certificate-renewal.ts';
import { ElderClient } from '../../../src/supervision/elders/elder-client.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

let tree: SupervisedTree;
let authority: Authority;
before(async () => {
  tree = await SupervisedTree.create();
  await tree.up();
  authority = await Authority.open(tree.folder.secret, tree.status.tree);
});
after(() => tree.remove());

async function credentialsOf(name: string): Promise<Credentials> {
  const pair = createKeyPair();
  const request = { name, addresses: [], lifetimeMs: 3_600_000, publicKey: spkiOf(pair.publicKey) };
  const { certificatePem: certificate } = await authority.issue(request);
  const { treeId, caPem: ca } = authority;
  return new Credentials({ tree: treeId, name, certificate, ca, privateKey: pair.privateKey });
}

/** A client for the rag sage, as `name`. */
async function clientAs(name: string, expect = 'rag_sage'): Promise<ElderClient> {
  return new ElderClient({
    credentials: await credentialsOf(name),
    tree: authority.treeId,
    name: expect,
    host: '127.0.0.1',
    port: tree.elder('rag_sage').port,
  });
}

/** What the rag sage shows to a new connection. */
async function shownSerial(): Promise<string> {
  const identity = (await credentialsOf('manager')).current();
  const socket = connect({
    ...clientTls({ ...identity, tree: authority.treeId, expect: 'rag_sage' }),
    host: '127.0.0.1',
    port: tree.elder('rag_sage').port,
  });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

function renewal(client: ElderClient, lifetimeMs = 3_600_000) {
  const { incarnation } = tree.elder('rag_sage');
  return { client, authority, name: 'rag_sage', incarnation, host: '127.0.0.1', lifetimeMs };
}

test('an elder shows its new certificate to new connections and goes on', async () => {
  const serial = await shownSerial();
  const pid = tree.pid('rag_sage');
  const client = await clientAs('manager');
  await renewCertificate(renewal(client), AbortSignal.timeout(60_000));
  client.close();
  assert.notEqual(await shownSerial(), serial);
  assert.equal(tree.pid('rag_sage'), pid);
});

test('a proof for another incarnation gets no certificate', async () => {
  const serial = await shownSerial();
  const client = await clientAs('manager');
  const options = { ...renewal(client), incarnation: 77 };
  await assert.rejects(renewCertificate(options, AbortSignal.timeout(60_000)), { code: 'denied' });
  client.close();
  assert.equal(await shownSerial(), serial);
});

test('an elder takes no certificate from anybody but the manager', async () => {
  const client = await clientAs('claude_elder');
  await assert.rejects(renewCertificate(renewal(client), AbortSignal.timeout(60_000)), /HTTP status 403/);
  client.close();
});

test('a client talks to nobody but whom it expects', async () => {
  const client = await clientAs('manager', 'task_sage');
  await assert.rejects(client.request({ method: 'GET', path: '/v1/info', timeoutMs: 60_000 }), {
    code: 'denied',
  });
  client.close();
});

test('it is renewed again and again, each time before half of its life', async () => {
  const client = await clientAs('manager');
  const serials = new Set<string>();
  const twice = Promise.withResolvers<void>();
  let count = 0;
  const fresh = keepFresh({
    // What is left of it after half of its life must do for a new one on a busy machine, too.
    lifetimeMs: 10_000,
    fresh: false,
    renewOnce: async () => {
      await renewCertificate(renewal(client, 10_000), AbortSignal.timeout(60_000));
      count += 1;
      shownSerial().then((serial) => {
        serials.add(serial);
        if (serials.size === 2) twice.resolve();
      }, twice.reject);
    },
    onError: twice.reject,
  });
  await twice.promise;
  fresh.stop();
  assert.ok(count >= 2);
  // Leaves the tree with one that lives on.
  await renewCertificate(renewal(client), AbortSignal.timeout(60_000));
  client.close();
});

test('the wait is a little less than half of the life, and never longer than a timer can wait', () => {
  assert.equal(renewalDelay(3_600_000, 0), 1_800_000);
  assert.equal(renewalDelay(3_600_000, 1), 1_620_000);
  assert.equal(renewalDelay(365 * 24 * 3_600_000, 0), 24 * 3_600_000);
});
