import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { startTestRedis } from '../../test/support/redis.ts';
import { redisTls } from '../messaging/resp-client.ts';
import type { Contestant } from './contestant.ts';

/** A BullMQ worker that spawns the command, on a Redis of its own with the same durability and TLS. */
export async function bullContestant(
  folder: string,
  command: string,
  concurrency: number,
): Promise<Contestant> {
  const redis = await startTestRedis();
  const credential = { username: 'bench', password: 'of-the-benchmark' };
  await redis.admin.command(['ACL', 'SETUSER', 'bench', 'on', '>of-the-benchmark', '~*', '&*', '+@all']);
  const connection = {
    host: redis.endpoint.host,
    port: redis.endpoint.port,
    ...credential,
    tls: redisTls({ tls: await redis.tlsOf('gateway'), tree: redis.tree, redis: redis.endpoint }),
    maxRetriesPerRequest: null,
  };
  const queue = new Queue('tasks', { connection });
  const events = new QueueEvents('tasks', { connection });
  const worker = new Worker(
    'tasks',
    async () => {
      const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', command], { cwd: folder, stdio: 'ignore' });
      const [code] = await once(child, 'close');
      if (code !== 0) throw new Error(`the command ended with ${code}`);
    },
    { connection, concurrency },
  );
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
  return {
    name: `BullMQ worker, concurrency ${concurrency}`,
    isolation: 'none',
    lacks: 'one process for all workers, no rights, no graph; what a killed worker ran goes on as an orphan',
    run: async (count) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      let left = count;
      const done = () => {
        left -= 1;
        if (left === 0) resolve();
      };
      worker.on('completed', done);
      const began = performance.now();
      await queue.addBulk(Array.from({ length: count }, (_, index) => ({ name: `t${index}`, data: {} })));
      await promise;
      worker.off('completed', done);
      return performance.now() - began;
    },
    close: async () => {
      await Promise.all([worker.close(), events.close(), queue.close()]);
      await redis.stop();
    },
  };
}
