import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { type BadCertificate, badCertificates } from '../../attack/bad-certificates.ts';
import { type Forged, stealAuthority } from '../../attack/forge-certificate.ts';
import { listenElderServer } from '../../src/agents/process/elder-server.ts';
import { Authority } from '../../src/identity/authority.ts';
import { Credentials } from '../../src/identity/credentials.ts';
import { peerAgent, serverTls, socketPeer } from '../../src/identity/tls.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const tree = 'test';
const claims = 'manager';
const lifetimeMs = 3_600_000;

describe('bad certificates', () => {
  let folder: string;
  let authority: Authority;
  let credentials: Credentials;
  let good: Forged;
  let revoked: Forged;
  let bad: BadCertificate[];
  const servers: Server[] = [];

  async function issue(name: string): Promise<Forged & { serial: string }> {
    const issued = await authority.issueWithKey({ name, addresses: ['127.0.0.1'], lifetimeMs });
    return { certificate: issued.certificatePem, key: issued.privateKeyPem, serial: issued.serial };
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'elders-bad-'));
    authority = await Authority.open(folder, tree);
    good = await issue(claims);
    const superseded = await issue(claims);
    const lost = await issue(claims);
    revoked = lost;
    const own = await issue('task_sage');
    credentials = new Credentials({
      tree,
      name: 'task_sage',
      certificate: own.certificate,
      ca: authority.caPem,
      privateKey: createPrivateKey(own.key),
      revoked: [lost.serial, superseded.serial],
    });
    bad = await badCertificates({
      tree,
      claims,
      authority: await stealAuthority(folder),
      onceGood: { revoked: lost, 'of a superseded incarnation': superseded },
    });
  });
  after(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await rm(folder, { recursive: true });
  });

  /** A real elder's port; `identify` weakens the look at its peers. */
  async function elder(identify?: typeof socketPeer): Promise<number> {
    const server = await listenElderServer({
      host: '127.0.0.1',
      port: 0,
      tree,
      credentials,
      identity: { tree, name: 'task_sage', incarnation: 1 },
      notReady: () => null,
      info: () => ({}),
      metrics: async () => ({ type: 'text/plain', text: '' }),
      ...(identify && { identify }),
    });
    servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Asks for something that only the manager gets; the status, or why there is none. */
  async function ask(port: number, { certificate, key }: Forged, expect = 'task_sage') {
    const agent = peerAgent({ certificate, key, ca: authority.caPem, tree, expect });
    const path = '/v1/certificate/request?nonce=x';
    const outgoing = request({ host: '127.0.0.1', port, agent, path });
    outgoing.end();
    try {
      const [response] = await once(outgoing, 'response');
      response.resume();
      return response.statusCode as number;
    } catch (error) {
      return error as Error;
    } finally {
      agent.destroy();
    }
  }

  test('there are more than thirty kinds, and no two are the same', () => {
    assert.ok(bad.length >= 50, String(bad.length));
    assert.equal(new Set(bad.map(({ kind }) => kind)).size, bad.length);
  });

  test('an elder refuses each of them and serves the good one', async () => {
    const port = await elder();
    for (const each of bad.filter(({ side }) => side !== 'server')) {
      // Some keys are too weak even to be shown.
      const answer = await Promise.resolve()
        .then(() => ask(port, each))
        .catch((error: Error) => error);
      assert.notEqual(answer, 200, each.kind);
    }
    assert.equal(await ask(port, good), 200);
  });

  test('a client refuses each of them when a server shows it', async () => {
    const mine = await issue('claude_elder');
    let met = 0;
    const shown: (Forged & { kind: string })[] = bad.filter(
      ({ side, kind }) => side !== 'client' && !/revoked|superseded/.test(kind),
    );
    for (const each of [...shown, { ...good, kind: 'good' }]) {
      let server: Server;
      try {
        server = createServer(serverTls({ ...each, ca: authority.caPem }), (_, response) => response.end());
      } catch {
        continue;
      }
      server.on('tlsClientError', () => undefined);
      servers.push(server.listen(0, '127.0.0.1'));
      await once(server, 'listening');
      const answer = await ask((server.address() as AddressInfo).port, mine, claims);
      if (each.kind === 'good') assert.equal(answer, 200);
      else assert.ok(answer instanceof Error, each.kind);
      met += 1;
    }
    assert.ok(met > 45, String(met));
  });

  test('the guard matters: without the list of revoked ones a revoked certificate is served', async () => {
    const port = await elder((socket, of) => socketPeer(socket, of));
    // The judge of live connections goes by the same list; only a process that was never told lets it pass.
    assert.notEqual(await ask(port, revoked), 200);
    credentials.replaceTrust({ ca: authority.caPem, revoked: [] });
    assert.equal(await ask(port, revoked), 200);
    credentials.replaceTrust({
      ca: authority.caPem,
      revoked: [new X509Certificate(revoked.certificate).serialNumber],
    });
    assert.notEqual(await ask(port, revoked), 200);
  });

  test('the guard matters: with a loose look at the name the wrong ones are served', async () => {
    const careless: typeof socketPeer = (socket) => {
      const names = socket.getPeerX509Certificate()?.subjectAltName ?? '';
      return names.includes(`spiffe://${tree}/elder/${claims}`) ? claims : 'nobody';
    };
    const port = await elder(careless);
    const served: string[] = [];
    for (const each of bad.filter(({ side }) => side === 'both')) {
      const answer = await Promise.resolve()
        .then(() => ask(port, each))
        .catch((error: Error) => error);
      if (answer === 200) served.push(each.kind);
    }
    for (const kind of ['URI with a longer name', 'two URIs, the right one last', 'that of an authority']) {
      assert.ok(served.includes(kind), `${kind} in ${served.join(', ')}`);
    }
  });

  describe('at Redis', () => {
    let redis: TestRedis;
    before(async () => {
      redis = await startTestRedis();
    });
    after(() => redis.stop());

    /** What Redis answers to somebody who logs in with a right password. */
    async function login({ certificate, key }: Forged, user: { username: string; password: string }) {
      const { host, port } = redis.endpoint;
      const ca = redis.authority.caPem;
      const socket = connect({
        host,
        port,
        ca,
        cert: certificate,
        key,
        checkServerIdentity: () => undefined,
      });
      let answer = '';
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        answer += String(data);
        socket.end();
      });
      socket.write(`AUTH ${user.username} ${user.password}\r\n`);
      await once(socket, 'close');
      return answer;
    }

    test('each that Redis can tell is refused, and no certificate makes up for a missing user', async () => {
      const signer = await stealAuthority(redis.folder.secret);
      const kinds = await badCertificates({ tree: redis.tree, claims, authority: signer });
      const user = await redis.createIncarnation('task_sage');
      const nobody = { username: `${redis.tree}.task_sage.99`, password: 'x' };
      const own = await redis.tlsOf(claims);
      for (const each of kinds.filter(({ side }) => side !== 'server')) {
        const tls = await Promise.resolve()
          .then(() => login(each, each.redisRefuses ? user : nobody))
          .catch(() => '');
        assert.ok(!tls.startsWith('+OK'), each.kind);
      }
      assert.match(await login({ certificate: own.cert, key: own.key }, user), /^\+OK/);
    });
  });
});
