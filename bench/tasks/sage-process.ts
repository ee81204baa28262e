import { once } from 'node:events';
import { Agent } from '../../src/agents/agent.ts';
import type { Core } from '../../src/agents/core.ts';
import { machineSources } from '../../src/agents/machine-sources.ts';
import { taskSage } from '../../src/elders/task/task-sage.ts';
import { RedisBroker } from '../../src/messaging/redis/redis-broker.ts';
import type { RedisTls } from '../../src/messaging/redis/redis-connection.ts';
import type { RedisCredential, RedisEndpoint } from '../../src/protocol/bootstrap.ts';
import { defaultConfig } from '../../src/protocol/config.ts';

/** What the process of the sage is told at its start. */
export interface SageOrder {
  readonly tree: string;
  readonly endpoint: RedisEndpoint;
  readonly credential: RedisCredential;
  readonly tls: RedisTls;
  readonly servants: readonly string[];
}

/** What it tells when it is asked: how long it took over each end of an attempt, the next assignment included (ms). */
export interface SageReport {
  readonly decisions: readonly number[];
  readonly rssBytes: number;
}

// The task sage as the product runs it, in a process of its own; it ends with its driver.
process.on('disconnect', () => process.exit(0));
process.send?.('loaded');
const [order] = (await once(process, 'message')) as [SageOrder];
const { tree, endpoint, credential, tls, servants } = order;
const { incarnation } = credential;
const decisions: number[] = [];
const core = timed(taskSage(defaultConfig));
const { edgeLimit, retain } = defaultConfig.messages;
const name = 'task_sage';
const broker = new RedisBroker({
  tree,
  name,
  incarnation,
  endpoint,
  credential,
  tls: () => tls,
  edgeLimit,
  retain,
});
const agent = new Agent({
  name,
  incarnation,
  pid: process.pid,
  core,
  broker,
  ...machineSources,
  servants,
  attempts: defaultConfig.messages.attempts,
  log: {
    info: () => {},
    warn: (fields, text) => void process.stderr.write(`${text} ${JSON.stringify(fields)}\n`),
  },
});
await agent.start();
process.send?.('ready');
process.on('message', () => {
  const report: SageReport = { decisions: decisions.splice(0), rssBytes: process.memoryUsage.rss() };
  process.send?.(report);
});
await agent.run();

function timed(inner: Core): Core {
  const finished = inner.handlers['report.to_sage.attempt_finished'];
  return {
    ...inner,
    handlers: {
      ...inner.handlers,
      'report.to_sage.attempt_finished': (ctx, received) => {
        const began = performance.now();
        finished?.(ctx, received);
        decisions.push(performance.now() - began);
      },
    },
  };
}
