import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { listenElderServer } from '../../../src/agents/process/elder-server.ts';
import { Authority } from '../../../src/identity/authority.ts';
import { Credentials } from '../../../src/identity/credentials.ts';
import { serverTls, type TlsIdentity } from '../../../src/identity/tls.ts';
import { ElderClient } from '../../../src/supervision/elders/elder-client.ts';

const tree = 'tree-1';

describe('a client of an elder', () => {
  let authority: Authority;
  let server: Server;
  let sage: Credentials;
  let manager: Credentials;
  let client: ElderClient;
  let connections = 0;
  /** While set, an answer waits for it. */
  let held: Promise<void> = Promise.resolve();

  before(async () => {
    authority = await Authority.create(tree);
    sage = await credentialsOf('task_sage');
    manager = await credentialsOf('manager');
    server = await listenElderServer({
      host: '127.0.0.1',
      port: 0,
      tree,
      credentials: sage,
      identity: { tree, name: 'task_sage', incarnation: 1 },
      notReady: () => null,
      info: () => ({}),
      metrics: async () => {
        await held;
        return { type: 'text/plain', text: '' };
      },
    });
    server.on('secureConnection', () => (connections += 1));
    client = open(manager);
  });
  after(async () => {
    client.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function credentialsOf(name: string): Promise<Credentials> {
    const issued = await authority.issueWithKey({ name, addresses: [], lifetimeMs: 3_600_000 });
    return new Credentials({
      tree,
      name,
      certificate: issued.certificatePem,
      ca: authority.caPem,
      privateKey: createPrivateKey(issued.privateKeyPem),
    });
  }

  function open(credentials: Credentials, connectionAgeMs?: number): ElderClient {
    const { port } = server.address() as AddressInfo;
    const age = connectionAgeMs === undefined ? {} : { connectionAgeMs };
    return new ElderClient({ credentials, tree, name: 'task_sage', host: '127.0.0.1', port, ...age });
  }

  const ask = (of: ElderClient, path = '/healthz') => of.request({ method: 'GET', path, timeoutMs: 20_000 });

  test('keeps its connection, and lets what is under way end when its certificate is replaced', async () => {
    const before = connections;
    await ask(client);
    await ask(client);
    assert.equal(connections, before + 1);
    const gate = Promise.withResolvers<void>();
    held = gate.promise;
    const slow = ask(client, '/metrics');
    await once(server, 'request');
    const issued = await authority.issueWithKey({ name: 'manager', addresses: [], lifetimeMs: 3_600_000 });
    manager.replace(issued.certificatePem, createPrivateKey(issued.privateKeyPem));
    await ask(client);
    assert.equal(connections, before + 2);
    gate.resolve();
    assert.equal((await slow).status, 200);
  });

  test('makes its connections anew by their age', async () => {
    const aged = open(manager, 0);
    const before = connections;
    await ask(aged);
    await ask(aged);
    aged.close();
    assert.equal(connections, before + 2);
  });

  test('cuts a live connection to a peer whose certificate is revoked and makes no other', async () => {
    const gate = Promise.withResolvers<void>();
    held = gate.promise;
    const slow = ask(client, '/metrics');
    await once(server, 'request');
    manager.replaceTrust({ ca: authority.caPem, revoked: [sage.serial] });
    await assert.rejects(slow, { code: 'denied', message: /was revoked/ });
    gate.resolve();
    await assert.rejects(ask(client), { code: 'denied', message: /was revoked/ });
    manager.replaceTrust({ ca: authority.caPem, revoked: [] });
    assert.equal((await ask(client)).status, 200, 'it was the list that stopped it');
  });

  test('reaches an elder whose certificate is over, to renew it, only if that is the last it was given', async () => {
    const slept = await expired('task_sage');
    const { port, close } = await serve(slept);
    const openWith = (isCurrent?: (serial: string) => boolean) =>
      new ElderClient({
        credentials: manager,
        tree,
        name: 'task_sage',
        host: '127.0.0.1',
        port,
        ...(isCurrent && { isCurrent }),
      });
    await assert.rejects(ask(openWith()), /expired/);
    await assert.rejects(ask(openWith(() => false)), /EXPIRED/);
    const lenient = openWith((serial) => serial === slept.serial);
    assert.equal((await ask(lenient)).status, 200);
    lenient.close();
    manager.replaceTrust({ ca: authority.caPem, revoked: [slept.serial] });
    await assert.rejects(ask(openWith((serial) => serial === slept.serial)), { message: /was revoked/ });
    manager.replaceTrust({ ca: authority.caPem, revoked: [] });
    await close();
  });

  test('is not deceived by another elder, or another authority, whose certificate is over', async () => {
    for (const [name, from] of [
      ['rag_sage', authority],
      ['task_sage', await Authority.create(tree)],
    ] as const) {
      const { port, close } = await serve(await expired(name, from));
      const fooled = { credentials: manager, tree, name: 'task_sage', host: '127.0.0.1', port };
      const lenient = new ElderClient({ ...fooled, isCurrent: () => true });
      await assert.rejects(ask(lenient));
      await close();
    }
  });

  async function expired(name: string, from = authority): Promise<TlsIdentity & { serial: string }> {
    const issued = await from.issueWithKey({ name, addresses: [], lifetimeMs: -1_000 });
    const { certificatePem: certificate, privateKeyPem: key, serial } = issued;
    return { certificate, key, serial, ca: authority.caPem };
  }

  async function serve(identity: TlsIdentity) {
    const made = createServer(serverTls(identity), (_, response) => response.end('{}'));
    made.on('tlsClientError', () => undefined);
    made.listen(0, '127.0.0.1');
    await once(made, 'listening');
    const close = async () => {
      made.closeAllConnections();
      made.close();
      await once(made, 'close');
    };
    return { port: (made.address() as AddressInfo).port, close };
  }
});
