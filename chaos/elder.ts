import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from '../src/agents/agent.ts';
import { machineSources } from '../src/agents/machine-sources.ts';
import { RedisBroker } from '../src/messaging/redis/redis-broker.ts';
import { asElderError } from '../src/protocol/errors.ts';
import type { ElderOrder, FromElder, HandledFrom, ToElder } from './child-protocol.ts';
import { consumerCore, type Done } from './consumer-core.ts';
import { ackFile, effectFile } from './evidence-files.ts';
import { addToRuns, type Run } from './intent.ts';
import { type Made, producerCore } from './producer-core.ts';
import { producers } from './topology.ts';

// One elder of the chaos run, in a process of its own. It ends with its driver.
process.on('disconnect', () => process.exit(1));
const tell = (message: FromElder) => void process.send?.(message);
const quiet = { info: () => {}, warn: () => {} };

/** Writes down, after the commit has landed, what it did; and tells the driver how far it is. */
function reporter(order: ElderOrder): (done: Done, agent: Agent) => void {
  const file = openSync(join(order.evidence, effectFile(order.name, order.maker)), 'a');
  let batch: Done[] = [];
  const flush = (commit: number) => {
    const runs = new Map<string, readonly Run[]>();
    const from: { [source: string]: HandledFrom } = {};
    for (const { source, intent, madeAt } of batch) {
      const edge = `${source}:${intent.lane}`;
      runs.set(edge, addToRuns(runs.get(edge) ?? [], intent.maker, intent.n));
      const before = from[source];
      const highest = Math.max(intent.n, before?.upTo[intent.lane] ?? 0);
      from[source] = {
        madeAt: Math.max(madeAt, before?.madeAt ?? 0),
        maker: Math.max(intent.maker, before?.maker ?? 0),
        upTo: { ...before?.upTo, [intent.lane]: highest },
      };
    }
    batch = [];
    writeSync(file, `${JSON.stringify({ commit, effects: Object.fromEntries(runs) })}\n`);
    tell({ kind: 'handled', at: Date.now(), from });
  };
  return (done, agent) => {
    if (batch.push(done) === 1) {
      const { commitNumber } = agent;
      queueMicrotask(() => flush(commitNumber));
    }
  };
}

/** Makes messages until it is told to finish; each batch goes into the journal once its commit has landed. */
async function produce(agent: Agent, order: ElderOrder, finished: () => boolean): Promise<void> {
  const file = openSync(join(order.evidence, ackFile(order.name, order.maker)), 'a');
  const [least, most] = order.batch;
  while (!finished()) {
    const count = least + Math.floor(Math.random() * (most - least + 1));
    const made = (await agent.input({ kind: 'produce', count })) as Made;
    writeSync(file, `${JSON.stringify(made)}\n`);
    tell({ kind: 'acknowledged', count });
    if (order.rate !== null) await delay((count / order.rate) * 1_000);
  }
  const counts = (await agent.input({ kind: 'counts' })) as { [lane: string]: number };
  tell({ kind: 'finished', counts });
}

async function startWhenReachable(agent: Agent): Promise<void> {
  for (;;) {
    try {
      return await agent.start();
    } catch (thrown) {
      const { code } = asElderError(thrown);
      if (code !== 'redis_unreachable' && code !== 'redis_refused') throw thrown;
      await delay(100);
    }
  }
}

async function main(): Promise<void> {
  const [order] = (await once(process, 'message')) as [ElderOrder];
  const { name, maker, credential, tls } = order;
  let finishing = false;
  let stop = () => {};
  process.on('message', (message: ToElder) => {
    if (message.kind === 'finish') finishing = true;
    if (message.kind === 'stop') stop();
  });
  const isProducer = producers.includes(name);
  const broker = new RedisBroker({ ...order, incarnation: credential.incarnation, tls: () => tls });
  const report = isProducer ? null : reporter(order);
  const agent = new Agent({
    name,
    incarnation: credential.incarnation,
    pid: process.pid,
    core: isProducer ? producerCore(maker) : consumerCore(),
    broker,
    ...machineSources,
    servants: Array.from({ length: order.servants }, (_, index) => `servant_${index + 1}`),
    attempts: 5,
    log: quiet,
    ...(report && { perform: (effect: object, self: Agent) => report(effect as Done, self) }),
  });
  stop = () => agent.stop();
  await startWhenReachable(agent);
  tell({ kind: 'started' });
  // What is killed writes nothing at its end.
  flushCompileCache();
  const ended = agent.run();
  // A batch whose commit fails rejects here and in `run`, which says why.
  if (isProducer) void produce(agent, order, () => finishing).catch(() => agent.stop());
  await ended;
  await broker.close();
}

try {
  await main();
  process.disconnect?.();
} catch (thrown) {
  const { code, reason } = asElderError(thrown);
  process.send?.({ kind: 'failed', code, reason } satisfies FromElder, () => process.exit(1));
}
