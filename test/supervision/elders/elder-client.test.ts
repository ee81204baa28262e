import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Authority } from '../../../src/identity/authority.ts';
import { Credentials } from '../../../src/identity/credentials.ts';
import { createKeyPair, spkiOf } from '../../../src/identity/key-proof.ts';
import { ElderClient } from '../../../src/supervision/elders/elder-client.ts';

const tree = 't0123456789';

for (const lenient of [false, true]) {
  test(`a peer that takes a connection and hangs is given up in time${lenient ? ', its certificate over or not' : ''}`, async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'elders-client-'));
    context.after(() => rm(folder, { recursive: true }));
    const authority = await Authority.open(folder, tree);
    const keys = createKeyPair();
    const { certificatePem } = await authority.issue({
      name: 'manager',
      addresses: ['127.0.0.1'],
      lifetimeMs: 60_000,
      publicKey: spkiOf(keys.publicKey),
    });
    const credentials = new Credentials({
      tree,
      name: 'manager',
      certificate: certificatePem,
      ca: authority.caPem,
      privateKey: keys.privateKey,
    });
    // It reads, so that it sees the end, and never says a word.
    const server = createServer((socket) => void socket.resume().on('error', () => undefined));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const facts = { credentials, tree, name: 'task_sage', host: '127.0.0.1', port };
    const client = new ElderClient({ ...facts, ...(lenient && { isCurrent: () => true }) });
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const asked = client.request({ method: 'GET', path: '/v1/info', timeoutMs: 200 });
    await assert.rejects(asked, { code: 'timed_out' });
    const [socket] = await connected;
    const ended = once(socket, 'close');
    client.close();
    await ended;
  });
}
