import { once } from 'node:events';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Credentials } from '../../identity/credentials.ts';
import { createKeyPair, proveKey } from '../../identity/key-proof.ts';
import { throwawayCertificate } from '../../identity/throwaway-certificate.ts';
import { peerAgent } from '../../identity/tls.ts';
import { RedisBroker } from '../../messaging/redis/redis-broker.ts';
import { nullLogger, rehearseLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { Agent } from '../agent.ts';
import type { Core } from '../core.ts';
import { machineSources } from '../machine-sources.ts';
import { listenElderServer } from './elder-server.ts';
import { standInRedis } from './stand-in-redis.ts';

const tree = 'rehearsal';
/** The only principal of the rehearsal: Redis, the elder and its peer are all the same. */
const name = 'redis';
/** One that exists, so that there are edges to read. */
const elder = 'claude_elder';
const host = '127.0.0.1';
/** A rehearsal that hangs is given up after this many ms. */
const limitMs = 3_000;

/**
 * Goes once through what an elder does from its orders to its first commit, against a stand-in for Redis in this
 * very process and with a certificate that nobody else trusts, so that all code has been loaded and compiled
 * when it is needed. Leaves nothing behind; never rejects.
 */
export async function rehearse(core: Core): Promise<void> {
  const closing: (() => void)[] = [];
  try {
    await Promise.race([
      play(core, closing),
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limitMs);
        closing.push(() => clearTimeout(timer));
      }),
    ]);
  } catch {
    // Then the first real start is a little slower.
  } finally {
    for (const close of closing.reverse()) close();
  }
}

async function play(core: Core, closing: (() => void)[]): Promise<void> {
  rehearseLogger();
  const keys = createKeyPair();
  const identity = { tree, name, incarnation: 1 };
  proveKey(keys, { kind: 'challenge', ...identity, nonce: '' });
  const certificate = throwawayCertificate(keys, identity);
  const credentials = new Credentials({
    ...identity,
    certificate,
    ca: certificate,
    privateKey: keys.privateKey,
  });
  const metrics = createMetrics({ name, role: name });
  const server = await listenElderServer({
    ...{ host, port: 0, tree, credentials, identity },
    notReady: () => null,
    info: () => identity,
    metrics: () => metrics.text(),
    connectionAgeMs: limitMs,
  });
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const redis = await standInRedis({ host, tree, name: elder, credentials, closing });
  const broker = new RedisBroker({
    ...identity,
    name: elder,
    endpoint: { host, port: portOf(redis.server) },
    credential: { username: name, password: name },
    tls: () => ({ cert: certificate, key: credentials.current().key, ca: certificate }),
    edgeLimit: 64,
    retain: 0,
    onConnection: (connected) => metrics.setRedisConnected(connected),
  });
  closing.push(() => void broker.close());
  const agent = new Agent({
    ...{ name: elder, incarnation: 1, pid: process.pid, core, broker },
    ...machineSources,
    ...{ servants: ['servant_1'], attempts: 1, log: nullLogger },
    observer: { onCommit: (tookMs, handled) => metrics.committed('ok', tookMs, handled) },
  });
  await agent.start();
  const ended = agent.run().catch(() => undefined);
  await Promise.all([ask(portOf(server), credentials, closing), redis.answered]);
  agent.stop();
  await ended;
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  return (server.address() as AddressInfo).port;
}

async function ask(port: number, credentials: Credentials, closing: (() => void)[]): Promise<void> {
  const agent = peerAgent({ ...credentials.current(), tree, expect: name });
  closing.push(() => agent.destroy());
  for (const path of ['/healthz', '/readyz']) {
    const sent = request({ host, port, path, agent });
    sent.end();
    const [response] = await once(sent, 'response');
    response.resume();
    await once(response, 'end');
  }
}
