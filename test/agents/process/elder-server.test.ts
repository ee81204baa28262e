import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:https';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { listenElderServer, type Refusal } from '../../../src/agents/process/elder-server.ts';
import { Authority } from '../../../src/identity/authority.ts';
import { Credentials } from '../../../src/identity/credentials.ts';
import { clientTls } from '../../../src/identity/tls.ts';
import { type PortLimits, portLimits } from '../../../src/protocol/limits.ts';

/** Resolves when a connection is closed, however it came to that: `once` would reject where it was reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

const tree = 'tree-1';
const lifetimeMs = 3_600_000;

describe('the port of an elder', () => {
  let authority: Authority;
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  before(async () => {
    authority = await Authority.create(tree);
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  });

  async function credentialsOf(name: string, life = lifetimeMs): Promise<Credentials> {
    const issued = await authority.issueWithKey({ name, addresses: [], lifetimeMs: life });
    return new Credentials({
      tree,
      name,
      certificate: issued.certificatePem,
      ca: authority.caPem,
      privateKey: createPrivateKey(issued.privateKeyPem),
    });
  }

  async function elder(change: { limits?: Partial<PortLimits>; connectionAgeMs?: number } = {}) {
    const credentials = await credentialsOf('task_sage');
    const refusals: Refusal[] = [];
    const { limits, ...rest } = change;
    const server = await listenElderServer({
      host: '127.0.0.1',
      port: 0,
      tree,
      credentials,
      identity: { tree, name: 'task_sage', incarnation: 1 },
      notReady: () => null,
      info: () => ({}),
      metrics: async () => ({ type: 'text/plain', text: '' }),
      onRefused: (refusal) => refusals.push(refusal),
      limits: { ...portLimits.elder, ...limits },
      ...rest,
    });
    servers.push(server);
    return { credentials, refusals, server, port: (server.address() as AddressInfo).port };
  }

  function dial(port: number, as: Credentials): TLSSocket {
    const tls = clientTls({ ...as.current(), tree, expect: 'task_sage' });
    const socket = connect({ ...tls, host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket;
  }

  /** Sends text and gives the status of the answer; 0 when the connection ends without one. */
  async function exchange(socket: Socket, text: string): Promise<number> {
    socket.write(text);
    let answer = '';
    const ended = new Promise<null>((resolve) => socket.once('close', () => resolve(null)));
    for (;;) {
      const data = await Promise.race([once(socket, 'data').catch(() => ended), ended]);
      if (data === null) return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
      answer += String(data[0]);
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
      if (status !== undefined) return Number(status);
    }
  }

  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const put = (path: string, body: string) =>
    `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

  test('cuts a live connection, and refuses new ones, as soon as the certificate is revoked', async () => {
    const { credentials, port, refusals } = await elder();
    const [thief, other] = [await credentialsOf('servant_1'), await credentialsOf('servant_2')];
    const live = dial(port, thief);
    const neighbour = dial(port, other);
    assert.equal(await exchange(live, get('/healthz')), 200);
    assert.equal(await exchange(neighbour, get('/healthz')), 200);
    const cut = closed(live);
    credentials.replaceTrust({ ca: authority.caPem, revoked: [thief.serial] });
    await cut;
    assert.equal(await exchange(dial(port, thief), get('/healthz')), 0);
    assert.equal(await exchange(neighbour, get('/healthz')), 200);
    assert.ok(refusals.every(({ source, serial }) => source === null && serial === thief.serial));
    assert.ok(refusals.length >= 2);
  });

  test('cuts a live connection of a root that is trusted no more', async () => {
    const { credentials, port } = await elder();
    const old = await credentialsOf('servant_1');
    const live = dial(port, old);
    assert.equal(await exchange(live, get('/healthz')), 200);
    await authority.introduceSuccessor();
    credentials.replaceTrust({ ca: authority.caPem, revoked: [] });
    assert.equal(await exchange(live, get('/healthz')), 200);
    await authority.switchToSuccessor();
    const renewed = await authority.issueWithKey({ name: 'task_sage', addresses: [], lifetimeMs });
    credentials.replace(renewed.certificatePem, createPrivateKey(renewed.privateKeyPem));
    assert.equal(await exchange(live, get('/healthz')), 200);
    const cut = closed(live);
    await authority.dropPredecessor();
    credentials.replaceTrust({ ca: authority.caPem, revoked: [] });
    await cut;
    assert.equal(await exchange(dial(port, await credentialsOf('servant_1')), get('/healthz')), 200);
  });

  test('takes whom to trust from the manager only', async () => {
    const { credentials, port } = await elder();
    const body = JSON.stringify({ ca: authority.caPem, revoked: ['AB'] });
    assert.equal(
      await exchange(dial(port, await credentialsOf('claude_elder')), put('/v1/trust', body)),
      403,
    );
    assert.equal(credentials.trust.isRevoked('AB'), false);
    assert.equal(await exchange(dial(port, await credentialsOf('manager')), put('/v1/trust', body)), 200);
    assert.equal(credentials.trust.isRevoked('AB'), true);
  });

  test('closes a connection that has reached its age, but not under a request', async () => {
    const { port } = await elder({ connectionAgeMs: 4_000 });
    const socket = dial(port, await credentialsOf('manager'));
    socket.resume();
    assert.equal(await exchange(socket, get('/healthz')), 200);
    await closed(socket);
    const slow = dial(port, await credentialsOf('manager'));
    slow.write('PUT /v1/trust HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n');
    await closed(dial(port, await credentialsOf('manager')).resume());
    assert.equal(await exchange(slow, '{}'), 400);
  });

  test('closes a connection whose certificate has ended', async () => {
    const { port } = await elder();
    const socket = dial(port, await credentialsOf('manager', 4_000));
    socket.resume();
    assert.equal(await exchange(socket, get('/healthz')), 200);
    await closed(socket);
  });

  test('ends whoever is slow: in the handshake, in the headers, in the body', async () => {
    const impatient = await elder({ limits: { handshakeMs: 200 } });
    const { port } = await elder({ limits: { headersMs: 1_000, requestMs: 1_500 } });
    const silent = connectTcp({ host: '127.0.0.1', port: impatient.port });
    sockets.push(silent);
    silent.on('error', () => undefined);
    await closed(silent);
    const me = await credentialsOf('manager');
    const headers = dial(port, me);
    assert.ok([0, 408].includes(await exchange(headers, 'GET /healthz HTTP/1.1\r\nX: ')));
    const body = dial(port, me);
    const begun = 'PUT /v1/trust HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"ca"';
    assert.ok([0, 408].includes(await exchange(body, begun)));
    // On a machine that stands still for a moment an honest source may be too slow as well, but not always.
    let status = 0;
    for (let tries = 0; status !== 200 && tries < 20; tries += 1) {
      status = await exchange(dial(port, me), get('/healthz'));
    }
    assert.equal(status, 200);
  });

  test('control: without these limits a slow source stays, and a loud one is always answered', async () => {
    const { port } = await elder({ limits: { headersMs: 0, requestMs: 0, rate: 0.001, burst: 1e9 } });
    const limited = await elder({ limits: { headersMs: 1_000, requestMs: 1_500 } });
    const me = await credentialsOf('manager');
    const begun = 'GET /healthz HTTP/1.1\r\nX: ';
    const slow = dial(port, me).resume();
    slow.write(begun);
    const loud = dial(port, me);
    for (let count = 0; count < 4; count += 1) assert.equal(await exchange(loud, get('/healthz')), 200);
    // Two that began later, one after the other, are ended where the limits are on.
    for (let count = 0; count < 2; count += 1) await exchange(dial(limited.port, me), begun);
    assert.equal(slow.closed, false);
  });

  test('refuses what is too large or too deep', async () => {
    const { port } = await elder({ limits: { bodyBytes: 10_000 } });
    const me = await credentialsOf('manager');
    const large = `GET /healthz HTTP/1.1\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`;
    assert.ok([0, 431].includes(await exchange(dial(port, me), large)));
    assert.equal(await exchange(dial(port, me), put('/v1/trust', 'x'.repeat(20_000))), 413);
    const endless = 'PUT /v1/trust HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    assert.equal(await exchange(dial(port, me), `${endless}4000\r\n${'x'.repeat(0x4000)}\r\n`), 413);
    assert.equal(await exchange(dial(port, me), put('/v1/trust', '['.repeat(9_000))), 400);
  });

  test('holds each source to its rate and number of connections, and no other suffers', async () => {
    const { port, refusals } = await elder({ limits: { rate: 0.001, burst: 3, connectionsPerSource: 4 } });
    const [loud, quiet] = [await credentialsOf('servant_1'), await credentialsOf('manager')];
    const socket = dial(port, loud);
    for (let count = 0; count < 3; count += 1) assert.equal(await exchange(socket, get('/healthz')), 200);
    assert.equal(await exchange(socket, get('/healthz')), 429);
    assert.equal(refusals.at(-1)?.source, 'servant_1');
    const more = Array.from({ length: 4 }, () => dial(port, loud).resume());
    await Promise.race(more.map(closed));
    assert.equal(await exchange(dial(port, quiet), get('/healthz')), 200);
  });

  /** Opens so many connections that say nothing, one after the other. */
  async function silent(port: number, count: number): Promise<Socket[]> {
    const opened: Socket[] = [];
    for (let at = 0; at < count; at += 1) {
      const socket = connectTcp({ host: '127.0.0.1', port });
      sockets.push(socket);
      opened.push(socket);
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
    }
    return opened;
  }

  test('those without a certificate keep nobody out who has one, however many they are', async () => {
    const { port } = await elder({ limits: { connections: 4, handshakes: 8 } });
    const me = await credentialsOf('manager');
    const first = dial(port, me);
    assert.equal(await exchange(first, get('/healthz')), 200);
    const [oldest, ...others] = await silent(port, 9);
    await closed(oldest!);
    assert.equal(await exchange(dial(port, me), get('/healthz')), 200);
    assert.equal(await exchange(first, get('/healthz')), 200, 'one that is served counts no more');
    assert.ok(others.some((socket) => !socket.closed));
    const more = await Promise.all(
      ['servant_1', 'servant_2', 'servant_3'].map(async (name) => dial(port, await credentialsOf(name))),
    );
    const statuses = await Promise.all(more.map((socket) => exchange(socket, get('/healthz'))));
    assert.deepEqual(statuses.toSorted(), [0, 200, 200], 'but there are no more connections than its limit');
  });

  test('control: where handshakes are not bounded apart, those without a certificate keep everybody out', async () => {
    const { port, server } = await elder({ limits: { connections: 4, handshakes: 1e9 } });
    server.maxConnections = 4;
    await silent(port, 4);
    assert.equal(await exchange(dial(port, await credentialsOf('manager')), get('/healthz')), 0);
  });

  test('control: without these limits what is large is taken, and any number of connections', async () => {
    const { port } = await elder({
      limits: { headerBytes: 65_536, bodyBytes: 1e8, connectionsPerSource: 1e6 },
    });
    const me = await credentialsOf('manager');
    const large = `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`;
    assert.equal(await exchange(dial(port, me), large), 200);
    assert.equal(await exchange(dial(port, me), put('/v1/trust', `"${'x'.repeat(2_000_000)}"`)), 400);
    const many = Array.from({ length: 40 }, () => dial(port, me));
    const statuses = await Promise.all(many.map((socket) => exchange(socket, get('/healthz'))));
    assert.ok(statuses.every((status) => status === 200));
  });
});
