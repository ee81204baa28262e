import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ElderProgram } from '../../src/supervision/isolation/elder-program.ts';
import { startTestRedis } from '../../test/support/redis.ts';
import { ManagedTree } from './managed-tree.ts';
import { openPinger } from './pinger.ts';
import { bareRespawn, type PlainSupervisor, pm2, supervisord } from './plain-supervisors.ts';
import type { WorkerOrder } from './worker.ts';

/** Longer than any of the contestants takes to call a process stable again. */
export const pauseMs = 1_100;

/** Somebody whose dead process is replaced. */
export interface Contestant {
  readonly name: string;
  /** Kills so often and gives the ms of each until a message sent just after is answered; `null` when it is not installed. */
  run(rounds: number): Promise<number[] | null>;
}

async function killAgain(
  rounds: number,
  options: { pid: () => number; ping: () => Promise<void>; settled: () => Promise<void> },
): Promise<number[]> {
  const times: number[] = [];
  await options.ping();
  for (let round = 0; round < rounds; round += 1) {
    await options.settled();
    await delay(pauseMs);
    const began = performance.now();
    process.kill(options.pid(), 'SIGKILL');
    await options.ping();
    times.push(performance.now() - began);
  }
  return times;
}

/** A tree of the product with this configuration, in which `target` is killed. */
export function treeContestant(options: {
  readonly name: string;
  readonly config: Record<string, unknown>;
  readonly target: string;
  readonly program: ElderProgram;
}): Contestant {
  const { name, config, target, program } = options;
  return {
    name,
    async run(rounds) {
      const tree = await ManagedTree.start(2, config, program);
      try {
        return await killAgain(rounds, {
          pid: () => tree.elder(target).pid as number,
          ping: () => tree.ping(target),
          settled: () => tree.settled(),
        });
      } finally {
        await tree.close();
      }
    },
  };
}

type Start = (place: Parameters<typeof bareRespawn>[0]) => Promise<PlainSupervisor | null>;

/** What people would take instead, each with the same program; `pm2Program` is the path of pm2. */
export function plainContestants(target: string, pm2Program: string): Contestant[] {
  const starters: [string, Start][] = [
    ['bare respawn', async (place) => bareRespawn(place)],
    ["Debian's supervisord", async (place) => supervisord(place)],
    ['pm2', (place) => pm2(place, pm2Program)],
  ];
  return starters.map(([name, start]) => ({ name, run: (rounds) => runPlain(target, rounds, start) }));
}

async function runPlain(target: string, rounds: number, start: Start): Promise<number[] | null> {
  const redis = await startTestRedis();
  const pinger = await openPinger(redis, target);
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'elders-bench-')));
  try {
    const order: WorkerOrder = {
      ...{ tree: redis.tree, name: target, endpoint: redis.endpoint },
      credential: await redis.createIncarnation(target),
      tls: await redis.tlsOf(target),
      pidFile: join(folder, 'pid'),
    };
    const orderFile = join(folder, 'order.json');
    await writeFile(orderFile, JSON.stringify(order), { mode: 0o600 });
    const worker = join(import.meta.dirname, 'worker.ts');
    const supervisor = await start({ folder, worker, orderFile, pidFile: order.pidFile });
    if (supervisor === null) return null;
    try {
      const settled = async () => undefined;
      return await killAgain(rounds, { pid: supervisor.pid, ping: pinger.ping, settled });
    } finally {
      await supervisor.close();
    }
  } finally {
    await pinger.close();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
