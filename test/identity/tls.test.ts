import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { Authority } from '../../src/identity/authority.ts';
import {
  clientTls,
  peerAgent,
  secureContext,
  serverTls,
  socketPeer,
  type TlsIdentity,
} from '../../src/identity/tls.ts';
import {
  badIdentities,
  clientAuth,
  forge,
  type StolenAuthority,
  serverAuth,
  stolenAuthority,
} from './forged-certificate.ts';

const tree = 'tree-1';
const expect = 'task_sage';

/** Tells from a server's connection whether it is the expected peer's. */
type PeerCheck = (socket: TLSSocket) => boolean;

const exactPeer: PeerCheck = (socket) => {
  try {
    return socketPeer(socket, tree) === expect;
  } catch {
    return false;
  }
};

/** What a careless server would do. */
const loosePeer: PeerCheck = (socket) =>
  socket.getPeerCertificate().subjectaltname?.includes(`spiffe://${tree}/elder/${expect}`) ?? false;

/** A real HTTPS server that acts for the expected peer and counts how often it did. */
async function listen(identity: TlsIdentity, check: PeerCheck) {
  const server = createServer(serverTls(identity));
  let acted = 0;
  server.on('request', (req, res) => {
    const allowed = check(req.socket as TLSSocket);
    if (allowed) acted += 1;
    res.writeHead(allowed ? 200 : 403).end();
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, acted: () => acted };
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

/** Gives the status of one request on a connection of its own, or the error that ended it. */
async function ask(port: number, agent: Agent): Promise<number | Error> {
  const outgoing = request({ host: '127.0.0.1', port, agent, path: '/v1/info' });
  outgoing.end();
  try {
    const [response] = await once(outgoing, 'response');
    response.resume();
    await once(response, 'end');
    return response.statusCode;
  } catch (error) {
    return error as Error;
  } finally {
    agent.destroy();
  }
}

describe('mutual TLS between two processes of a tree', () => {
  let stolen: StolenAuthority;
  let me: TlsIdentity;
  let sage: TlsIdentity;
  let bad: Map<string, TlsIdentity>;

  async function identity(name: string): Promise<TlsIdentity> {
    const { authority } = stolen;
    const issued = await authority.issueWithKey({ name, addresses: ['127.0.0.1'], lifetimeMs: 3_600_000 });
    return { certificate: issued.certificatePem, key: issued.privateKeyPem, ca: authority.caPem };
  }

  before(async () => {
    stolen = await stolenAuthority(tree);
    me = await identity('claude_elder');
    sage = await identity(expect);
    bad = await badIdentities(stolen);
  });

  describe('a server', () => {
    let target: Awaited<ReturnType<typeof listen>>;
    before(async () => {
      target = await listen(me, exactPeer);
    });
    after(() => close(target.server));

    test('acts for the peer that it expects, after all that it refused as well', async () => {
      assert.ok(bad.size >= 12);
      for (const [kind, attacker] of bad) {
        const agent = peerAgent({ ...attacker, tree, expect: 'claude_elder' });
        assert.notEqual(await ask(target.port, agent), 200, kind);
        assert.equal(target.acted(), 0, kind);
      }
      const agent = peerAgent({ ...sage, tree, expect: 'claude_elder' });
      assert.equal(await ask(target.port, agent), 200);
      assert.equal(target.acted(), 1);
    });

    test('refuses a client without a certificate before it can ask anything', async () => {
      const { checkServerIdentity } = clientTls({ ...sage, tree, expect: 'claude_elder' });
      const agent = new Agent({ ca: sage.ca, checkServerIdentity: checkServerIdentity! });
      assert.ok((await ask(target.port, agent)) instanceof Error);
    });

    test('acts for a forged certificate that says the right thing: the forgeries fail for what they say', async () => {
      const right = await forge({
        issuer: stolen,
        names: [
          { type: 'url', value: `spiffe://${tree}/elder/${expect}` },
          { type: 'dns', value: 'localhost' },
        ],
      });
      const own = await listen(me, exactPeer);
      const agent = peerAgent({ ...right, ca: me.ca, tree, expect: 'claude_elder' });
      assert.equal(await ask(own.port, agent), 200);
      await close(own.server);
    });

    test('refuses a certificate that is for servers only', async () => {
      const names = [{ type: 'url', value: `spiffe://${tree}/elder/${expect}` }] as const;
      const serverOnly = await forge({ issuer: stolen, names, usages: [serverAuth] });
      const agent = peerAgent({ ...serverOnly, ca: me.ca, tree, expect: 'claude_elder' });
      assert.ok((await ask(target.port, agent)) instanceof Error);
    });

    test('refuses TLS 1.2', async () => {
      const options = clientTls({ ...sage, tree, expect: 'claude_elder' });
      const agent = new Agent({ ...options, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
      assert.ok((await ask(target.port, agent)) instanceof Error);
    });

    test('never resumes a session, so that each connection shows its certificate', async () => {
      const careless = createServer({ ...serverTls(me), secureOptions: 0 }, (_req, res) => res.end());
      careless.listen(0, '127.0.0.1');
      await once(careless, 'listening');
      assert.equal(await resumes(target.port), false);
      assert.equal(await resumes((careless.address() as AddressInfo).port), true, 'the check can fail');
      await close(careless);
    });

    /** Connects twice and tells whether the second connection went on with the session of the first. */
    async function resumes(port: number): Promise<boolean> {
      const options = { ...clientTls({ ...sage, tree, expect: 'claude_elder' }), host: '127.0.0.1', port };
      const sessions: Buffer[] = [];
      const first = connect(options);
      first.on('session', (session) => sessions.push(session));
      first.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      first.resume();
      await once(first, 'close');
      const session = sessions.at(-1);
      const second = connect(session ? { ...options, session } : options);
      await once(second, 'secureConnect');
      const reused = second.isSessionReused();
      second.destroy();
      return reused;
    }

    test('shows a renewed certificate to new connections and keeps the old ones', async () => {
      const own = await listen(me, exactPeer);
      const options = {
        ...clientTls({ ...sage, tree, expect: 'claude_elder' }),
        host: '127.0.0.1',
        port: own.port,
      };
      const serials = [];
      const sockets = [];
      const renewed = await identity('claude_elder');
      for (const next of [renewed, undefined]) {
        const socket = connect(options);
        await once(socket, 'secureConnect');
        serials.push(socket.getPeerX509Certificate()?.serialNumber);
        sockets.push(socket);
        if (next) own.server.setSecureContext(secureContext(next));
      }
      assert.deepEqual(
        serials,
        [me, renewed].map((each) => new X509Certificate(each.certificate).serialNumber),
      );
      const [old] = sockets;
      old!.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      const [answer] = await once(old!, 'data');
      assert.match(String(answer), /^HTTP\/1.1 200/);
      for (const socket of sockets) socket.destroy();
      await close(own.server);
    });
  });

  test('a client talks to nobody but the peer that it expects', async () => {
    for (const [kind, attacker] of [...bad, ['control', sage] as const]) {
      const imposter = await listen(attacker, () => true);
      const answer = await ask(imposter.port, peerAgent({ ...me, tree, expect }));
      if (kind === 'control') assert.equal(answer, 200);
      else assert.ok(answer instanceof Error, kind);
      assert.equal(imposter.acted(), kind === 'control' ? 1 : 0, kind);
      await close(imposter.server);
    }
  });

  test('a client refuses a server whose certificate is for clients only', async () => {
    const names = [{ type: 'url', value: `spiffe://${tree}/elder/${expect}` }] as const;
    const clientOnly = await forge({ issuer: stolen, names, usages: [clientAuth] });
    const imposter = await listen({ ...clientOnly, ca: me.ca }, () => true);
    assert.ok((await ask(imposter.port, peerAgent({ ...me, tree, expect }))) instanceof Error);
    await close(imposter.server);
  });

  test('a principal of another tree is refused although both trees run the same program', async () => {
    const other = await Authority.create('other-tree');
    const issued = await other.issueWithKey({ name: expect, addresses: [], lifetimeMs: 3_600_000 });
    const stranger = { certificate: issued.certificatePem, key: issued.privateKeyPem, ca: me.ca };
    const target = await listen(me, exactPeer);
    const agent = peerAgent({ ...stranger, tree, expect: 'claude_elder' });
    assert.ok((await ask(target.port, agent)) instanceof Error);
    await close(target.server);
  });

  test('these tests can fail: with `includes` for a comparison the attacks go through', async () => {
    const attacker = bad.get('a longer name')!;

    const careless = await listen(me, loosePeer);
    const agent = peerAgent({ ...attacker, tree, expect: 'claude_elder' });
    assert.equal(await ask(careless.port, agent), 200);
    assert.equal(careless.acted(), 1);
    await close(careless.server);

    const imposter = await listen(attacker, () => true);
    const carelessAgent = new Agent({
      ...clientTls({ ...me, tree, expect }),
      checkServerIdentity: (_host, certificate) =>
        certificate.subjectaltname?.includes(`spiffe://${tree}/elder/${expect}`)
          ? undefined
          : new Error('no'),
    });
    assert.equal(await ask(imposter.port, carelessAgent), 200);
    assert.equal(imposter.acted(), 1);
    await close(imposter.server);
  });
});
