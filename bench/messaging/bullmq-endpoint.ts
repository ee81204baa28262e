import { Queue, QueueEvents, Worker } from 'bullmq';
import {
  atRate,
  type Endpoint,
  type EndpointConfig,
  inTurn,
  Latencies,
  stampedBody,
  Tally,
} from './endpoint.ts';
import { redisTls } from './resp-client.ts';

const queueName = 'bench';
/** Jobs of one `addBulk`, and such calls under way at a time. */
const bulk = 250;
const bulksUnderWay = 2;
const concurrency = 100;

/** BullMQ with its own client: `addBulk` on one side, a worker on the other. */
export async function openBullmq(config: EndpointConfig): Promise<Endpoint> {
  const { redis, credential } = config;
  const connection = {
    host: redis.host,
    port: redis.port,
    username: credential.username,
    password: credential.password,
    tls: redisTls(config),
    maxRetriesPerRequest: null,
  };
  const latencies = new Latencies();
  const tally = new Tally();
  const kept = { removeOnComplete: true, removeOnFail: true };
  const queue = new Queue(queueName, { connection, prefix: '{bench:bullmq}', defaultJobOptions: kept });
  const events = new QueueEvents(queueName, { connection, prefix: '{bench:bullmq}' });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  let worker: Worker | null = null;
  if (config.side === 'receiver') {
    const act = async ({ data }: { data: { m: string } }) => {
      if (data.m.startsWith('?')) return data.m;
      latencies.note(data.m);
      return null;
    };
    worker = new Worker(queueName, act, { connection, prefix: '{bench:bullmq}', concurrency });
    worker.on('completed', (job) => {
      if (!job.data.m.startsWith('?')) tally.add(1);
    });
    await worker.waitUntilReady();
    await events.close();
  }
  const jobs = (count: number, body: string) =>
    Array.from({ length: count }, () => ({ name: 'j', data: { m: body } }));

  return {
    async send({ count, size }) {
      const body = stampedBody(size, false);
      let left = count;
      const sendOn = async () => {
        while (left > 0) {
          const part = Math.min(bulk, left);
          left -= part;
          await queue.addBulk(jobs(part, body));
        }
      };
      await Promise.all(Array.from({ length: bulksUnderWay }, sendOn));
    },
    pace: (order) => atRate(order, (count) => void queue.addBulk(jobs(count, stampedBody(order.size, true)))),
    receive: ({ count }) => tally.more(count),
    takeLatencies: async () => latencies.take(),
    ask: (order) =>
      inTurn(order, async () => {
        // Kept for a while: waiting for a job that is gone already is an error.
        const job = await queue.add(
          'j',
          { m: `?${'x'.repeat(511)}` },
          { removeOnComplete: { count: 1_000 } },
        );
        await job.waitUntilFinished(events, 30_000);
      }),
    async close() {
      await worker?.close();
      await events.close();
      await queue.close();
    },
  };
}
