/**
 * A tiny real elder for tests of supervision: it speaks the start protocol on descriptor 3, holds a connection to
 * Redis, and serves the HTTPS routes that the manager needs. Files `<project>/control/<name>.<word>` steer it:
 * `exit` (its content is the exit code) and `fail` end it at the start, `mute` never reports, `unready` makes
 * it say that it cannot serve, `loiter` makes it ignore SIGTERM, `grow` has it take 300 MB of memory.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { TLSSocket } from 'node:tls';
import { Credentials } from '../../src/identity/credentials.ts';
import { createKeyPair, proveKey } from '../../src/identity/key-proof.ts';
import { secureContext, serverTls, socketPeer } from '../../src/identity/tls.ts';
import { RedisConnection } from '../../src/messaging/redis/redis-connection.ts';
import type { Challenge, FromChild, RedisLogins, StartOrder, ToChild } from '../../src/protocol/bootstrap.ts';
import { treeKeys } from '../../src/protocol/keys.ts';
import { bootstrapFd } from '../../src/protocol/start-channel.ts';

const channel = new Socket({ fd: bootstrapFd });
channel.on('error', () => undefined);
channel.unref();
const send = (line: FromChild) => channel.write(`${JSON.stringify(line)}\n`);
const lines = createInterface({ input: channel })[Symbol.asyncIterator]();
const keepAlive = setInterval(() => undefined, 60_000);

async function receive<T>(): Promise<T> {
  const { value, done } = await lines.next();
  if (done) process.exit(70);
  return JSON.parse(value) as T;
}

const pair = createKeyPair();
send({ kind: 'loaded' });
const challenge = await receive<Challenge>();
send(proveKey(pair, challenge));
const order = await receive<StartOrder>();
const { tree, name, incarnation } = order;

const told = (word: string) => existsSync(`${order.project}/control/${name}.${word}`);
if (told('exit')) process.exit(Number(readFileSync(`${order.project}/control/${name}.exit`, 'utf8')));
if (told('fail')) {
  send({ kind: 'failed', error: { code: 'conflict', reason: 'told to fail' } });
  channel.end(() => process.exit(1));
  await new Promise(() => undefined);
}

const { certificate, ca } = order;
const credentials = new Credentials({ tree, name, certificate, ca, privateKey: pair.privateKey });
let connected = false;
const hoard: Buffer[] = [];
const report = () => {
  if (!told('mute')) send(connected ? { kind: 'ready' } : { kind: 'unready', reason: 'Redis is away' });
};

/** Why it cannot serve, for whoever asks. */
const notReady = () => {
  if (told('grow') && hoard.length === 0) hoard.push(Buffer.alloc(300_000_000, 1));
  if (told('unready')) return 'told to be unready';
  return connected ? null : 'Redis is away';
};
const logins = Promise.withResolvers<RedisLogins['credentials']>();
void (async () => {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return;
    const line = JSON.parse(value) as ToChild;
    if (line.kind === 'credentials') logins.resolve(line.credentials);
    else if (line.kind === 'probe') send({ kind: 'alive', n: line.n, reason: notReady() });
  }
})().catch(() => undefined);

const server = createServer(serverTls(credentials.current()), async (request, response) => {
  const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
  const url = new URL(request.url ?? '/', 'https://elder');
  const peer = socketPeer(request.socket as TLSSocket, tree);
  if (url.pathname === '/healthz') return answer(200, {});
  if (url.pathname === '/readyz') {
    const reason = notReady();
    return reason === null ? answer(200, {}) : answer(503, { reason });
  }
  if (url.pathname === '/v1/info') return answer(200, { name, incarnation });
  if (peer !== 'manager') return answer(403, {});
  if (url.pathname === '/v1/certificate/request') {
    const nonce = url.searchParams.get('nonce') ?? '';
    return answer(200, proveKey(pair, { kind: 'challenge', tree, name, incarnation, nonce }));
  }
  if (url.pathname === '/v1/certificate' && request.method === 'PUT') {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    credentials.replace(JSON.parse(body).certificate);
    server.setSecureContext(secureContext(credentials.current()));
    return answer(204, {});
  }
  if (url.pathname === '/v1/trust' && request.method === 'PUT') {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    credentials.replaceTrust(JSON.parse(body));
    server.setSecureContext(secureContext(credentials.current()));
    return answer(204, {});
  }
  return answer(404, {});
});
server.listen(order.port, order.host, async () => {
  const credential = (await logins.promise)[name];
  if (credential === undefined) throw new Error('no credential');
  const redis = new RedisConnection({
    tree,
    endpoint: order.redis,
    credential,
    tls: () => {
      const { certificate: cert, key, ca: authority } = credentials.current();
      return { cert, key, ca: authority };
    },
    maxAgeMs: order.config.certificates.connectionAge,
    onState: (state) => {
      connected = state;
      report();
      if (!state) void endWhenFenced();
    },
  });
  /** As a real elder, it ends when its user is gone, which it may hear of only when Redis is back. */
  async function endWhenFenced(): Promise<void> {
    while (!connected) {
      const error = await redis.command(['PING']).then(
        () => null,
        (thrown) => thrown,
      );
      if (error?.code === 'fenced') process.exit(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  // Proves that the rights of this incarnation are there.
  redis.command(['GET', treeKeys(tree).incarnation(name)]).catch(() => undefined);
  process.on('SIGTERM', () => {
    if (told('loiter')) return;
    clearInterval(keepAlive);
    redis.close();
    process.exit(0);
  });
});
