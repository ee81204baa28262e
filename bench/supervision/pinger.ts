import { Agent } from '../../src/agents/agent.ts';
import type { Core } from '../../src/agents/core.ts';
import { machineSources } from '../../src/agents/machine-sources.ts';
import type { TestRedis } from '../../test/support/redis.ts';

/** An elder in this process that asks another and tells when it was answered. */
export interface Pinger {
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a pinger as the gateway, which may ask the incident sage. */
export async function openPinger(redis: TestRedis, target: string): Promise<Pinger> {
  const answers = new Map<number, () => void>();
  const core: Core = {
    handlers: {},
    continuations: {
      answered: (_, answer, data) => {
        if (!answer.ok) throw new Error(answer.error.reason);
        answers.get(Number(data))?.();
      },
    },
    onInput: (ctx, input) =>
      ctx.ask(
        target,
        'elder.ping',
        {},
        { deadlineMs: 60_000, then: 'answered', data: Number((input as unknown as { n: number }).n) },
      ),
  };
  const credential = await redis.createIncarnation('gateway');
  const agent = new Agent({
    ...{ name: 'gateway', incarnation: credential.incarnation, pid: process.pid, core },
    broker: await redis.brokerFor('gateway', { credential }),
    ...machineSources,
    ...{ servants: ['servant_1', 'servant_2'], attempts: 5, log: { info: () => {}, warn: () => {} } },
  });
  await agent.start();
  const ended = agent.run();
  let count = 0;
  return {
    async ping() {
      const { promise, resolve } = Promise.withResolvers<void>();
      count += 1;
      answers.set(count, resolve);
      await agent.input({ kind: 'ping', n: count });
      await promise;
    },
    async close() {
      agent.stop();
      await ended;
    },
  };
}
