/**
 * The program of an elder without a manager: what a plain supervisor can restart. It loads what an elder loads,
 * takes its Redis user from a file, and answers the messages of the incident sage.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { Agent } from '../../src/agents/agent.ts';
import { machineSources } from '../../src/agents/machine-sources.ts';
import '../../src/agents/process/elder-process.ts';
import { loadCore } from '../../src/elders/assemble.ts';
import { RedisBroker } from '../../src/messaging/redis/redis-broker.ts';
import type { RedisTls } from '../../src/messaging/redis/redis-connection.ts';
import type { RedisCredential, RedisEndpoint } from '../../src/protocol/bootstrap.ts';
import { defaultConfig } from '../../src/protocol/config.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

/** What the worker finds in its file. */
export interface WorkerOrder {
  readonly tree: string;
  readonly name: string;
  readonly endpoint: RedisEndpoint;
  readonly credential: RedisCredential;
  readonly tls: RedisTls;
  /** Where it writes its pid. */
  readonly pidFile: string;
}

const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as WorkerOrder;
const { tree, name, endpoint, credential, tls } = order;
writeFileSync(order.pidFile, String(process.pid));
createMetrics({ name, role: 'sage' });
const { incarnation } = credential;
const broker = new RedisBroker({
  ...{ tree, name, incarnation, endpoint, credential, tls: () => tls },
  ...{ edgeLimit: defaultConfig.messages.edgeLimit, retain: defaultConfig.messages.retain },
});
const core = (await loadCore(name))(defaultConfig);
const agent = new Agent({
  ...{ name, incarnation, pid: process.pid, core, broker },
  ...machineSources,
  ...{ servants: ['servant_1', 'servant_2'], attempts: 5, log: { info: () => {}, warn: () => {} } },
});
await agent.start();
// A process that is killed would leave nothing in the compile cache, which the tree fills for its elders beforehand.
flushCompileCache();
await agent.run();
