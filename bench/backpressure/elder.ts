import { once } from 'node:events';
import { Agent } from '../../src/agents/agent.ts';
import type { Core } from '../../src/agents/core.ts';
import { machineSources } from '../../src/agents/machine-sources.ts';
import { RedisBroker } from '../../src/messaging/redis/redis-broker.ts';
import type { RedisTls } from '../../src/messaging/redis/redis-connection.ts';
import type { RedisCredential, RedisEndpoint } from '../../src/protocol/bootstrap.ts';
import { asElderError } from '../../src/protocol/errors.ts';

/** What one process of a pair is told at its start. */
export interface ElderOrder {
  readonly tree: string;
  readonly name: string;
  readonly endpoint: RedisEndpoint;
  readonly credential: RedisCredential;
  readonly tls: RedisTls;
  readonly edgeLimit: number;
}

/** What became of messages that were offered. */
export interface Offered {
  readonly accepted: number;
  /** Refused with `edge_full`. */
  readonly full: number;
}

/** Messages that one input of the sender sends: all of them or none. */
export const batchSize = 64;
const target = 'knowledge_sage';
const body = 'x'.repeat(300);

interface Count {
  readonly n: number;
}

const core: Core = {
  onInput(ctx, { count }) {
    for (let index = 0; index < (count as number); index += 1) {
      ctx.send(target, 'sage.knowledge.store', { key: 'k', title: 't', body, tags: [], directiveId: null });
    }
  },
  handlers: {
    'sage.knowledge.store': (ctx) => {
      const counts = ctx.table<Count>('counts');
      counts.put('handled', { n: (counts.get('handled')?.n ?? 0) + 1 });
    },
  },
};

// One elder of a pair: it ends with its driver, which asks over the IPC channel.
process.on('disconnect', () => process.exit(1));
const [order] = (await once(process, 'message')) as [ElderOrder];
const { tree, name, endpoint, credential, tls, edgeLimit } = order;
const { incarnation } = credential;
const broker = new RedisBroker({
  tree,
  name,
  incarnation,
  endpoint,
  credential,
  tls: () => tls,
  edgeLimit,
  retain: 1_000,
  onConnection: (connected) => process.send?.({ event: connected ? 'connected' : 'disconnected' }),
});
const agent = new Agent({
  name,
  incarnation,
  pid: process.pid,
  core,
  broker,
  ...machineSources,
  servants: ['servant_1', 'servant_2'],
  attempts: 3,
  log: { info: () => {}, warn: () => {} },
  observer: {
    onBlocked: (what, error) =>
      process.send?.({ event: error === null ? `${what}:free` : `${what}:${error.code}` }),
  },
});
await agent.start();
const ended = agent.run().then(
  () => 0,
  (error) => {
    process.send?.({ event: `ended:${asElderError(error).code}` });
    return 1;
  },
);

async function offer(total: number, whenFull: 'fail' | 'wait'): Promise<Offered> {
  let left = total;
  let accepted = 0;
  let full = 0;
  const work = async () => {
    while (left > 0) {
      const count = Math.min(batchSize, left);
      left -= count;
      try {
        await agent.input({ kind: 'send', count }, { whenFull });
        accepted += count;
      } catch (error) {
        if (asElderError(error).code !== 'edge_full') throw error;
        full += count;
      }
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  return { accepted, full };
}

process.on('message', ({ id, method, argument }: { id: number; method: string; argument: number }) => {
  const result = method === 'wait' || method === 'fail' ? offer(argument, method) : Promise.resolve(null);
  result.then(
    (value) => process.send?.({ id, value }),
    (error) => process.send?.({ id, error: String(error) }),
  );
});
process.on('SIGTERM', () => agent.stop());
process.send?.({ event: 'started' });
const code = await ended;
await broker.close();
process.removeAllListeners('disconnect');
if (process.connected) process.disconnect?.();
process.exitCode = code;
