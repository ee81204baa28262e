import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { startTestRedis, type TestRedis } from '../test/support/redis.ts';
import { Peer } from './messaging/contestant.ts';
import { elderNames } from './messaging/elder-endpoint.ts';
import type { EndpointConfig, Side } from './messaging/endpoint.ts';
import { measureGrowth } from './messaging/growth.ts';
import { measureIdleTree } from './messaging/idle-tree.ts';
import { cpuMs } from './messaging/process-cost.ts';
import { median, quantile, rounded } from './messaging/statistics.ts';

// Durable messages between two processes over mutual TLS, beside the least that Redis needs for it and BullMQ.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** Messages of 512 bytes per run; of 16 KiB an eighth of it; BullMQ a quarter. */
    messages: { type: 'string', default: '24000' },
    parts: { type: 'string', default: 'throughput,latency,growth,memory' },
    fsync: { type: 'string', default: 'always,everysec' },
    sizes: { type: 'string', default: '512,16384' },
    contestants: { type: 'string', default: 'elders,bare,bullmq' },
    /** A folder for CPU profiles of the processes. */
    profile: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const parts = values.parts.split(',');
const sizes = values.sizes.split(',').map(Number);
type Name = 'elders' | 'bare' | 'bullmq';
const contestants = values.contestants.split(',') as Name[];
type Fsync = 'always' | 'everysec';

const profiling = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];

const say = (text: string) => process.stderr.write(`${text}\n`);

interface Pair {
  readonly name: Name;
  readonly sender: Peer;
  readonly receiver: Peer;
}

async function openPair(redis: TestRedis, name: Name): Promise<Pair> {
  const open = async (side: Side) => {
    const principal = elderNames[side];
    const credential =
      name === 'elders'
        ? await redis.createIncarnation(principal)
        : { username: `bench.${name}`, password: 'of-the-benchmark', incarnation: 1 };
    const config: EndpointConfig = {
      contestant: name,
      side,
      tree: redis.tree,
      redis: redis.endpoint,
      tls: await redis.tlsOf(principal),
      credential,
    };
    return Peer.open(config, profiling);
  };
  if (name !== 'elders') {
    const keys = name === 'bare' ? '~bench:*' : '~{bench:bullmq}*';
    await redis.admin.command([
      ...['ACL', 'SETUSER', `bench.${name}`, 'on', '>of-the-benchmark', keys, '&*', '+@all'],
    ]);
  }
  return { name, receiver: await open('receiver'), sender: await open('sender') };
}

interface Run {
  readonly perSecond: number;
  /** µs of CPU per message. */
  readonly sender: number;
  readonly receiver: number;
  readonly redis: number;
}

async function flood(pair: Pair, redisPid: number, count: number, size: number): Promise<Run> {
  const pids = [pair.sender.pid, pair.receiver.pid, redisPid];
  const before = pids.map(cpuMs);
  const began = performance.now();
  const received = pair.receiver.call('receive', { count });
  await Promise.all([received, pair.sender.call('send', { count, size })]);
  const ms = performance.now() - began;
  const [sender = 0, receiver = 0, redis = 0] = pids.map(
    (pid, index) => ((cpuMs(pid) - (before[index] ?? 0)) * 1_000) / count,
  );
  return { perSecond: (count * 1_000) / ms, sender, receiver, redis };
}

function countFor(name: Name, size: number): number {
  const full = Number(values.messages) / (size > 512 ? 8 : 1);
  return Math.round(name === 'bullmq' ? full / 4 : full);
}

async function measureThroughput(pairs: readonly Pair[], redisPid: number, fsync: Fsync) {
  const rows = [];
  for (const size of sizes) {
    const runs = new Map<Name, Run[]>(pairs.map(({ name }) => [name, []]));
    for (const pair of pairs) await flood(pair, redisPid, Math.ceil(countFor(pair.name, size) / 4), size);
    for (let round = 0; round < rounds; round += 1) {
      for (const pair of pairs) {
        runs.get(pair.name)?.push(await flood(pair, redisPid, countFor(pair.name, size), size));
      }
      say(`${fsync}, ${size} bytes: round ${round + 1} of ${rounds}`);
    }
    const middle = (name: Name, part: keyof Run) => median((runs.get(name) ?? []).map((run) => run[part]));
    for (const { name } of pairs) {
      const perSecond = middle(name, 'perSecond');
      rows.push({
        contestant: name,
        fsync,
        bytes: size,
        perSecond: Math.round(perSecond),
        ratioToBare: rounded(perSecond / middle('bare', 'perSecond')),
        ratioToBullmq: rounded(perSecond / middle('bullmq', 'perSecond')),
        cpuMicroseconds: {
          sender: rounded(middle(name, 'sender'), 1),
          receiver: rounded(middle(name, 'receiver'), 1),
          redis: rounded(middle(name, 'redis'), 1),
        },
      });
    }
  }
  return rows;
}

const atRestPerSecond = 200;
const pacedMs = 800;
const asks = 100;
const askGapMs = 3;

async function pacedLatency(pair: Pair, perSecond: number): Promise<number[]> {
  await pair.receiver.call('takeLatencies');
  const count = await pair.sender.call('pace', { perSecond, forMs: pacedMs, size: 512 });
  await pair.receiver.call('receive', { count });
  return pair.receiver.call('takeLatencies');
}

/** Questions while the same two processes carry half of what they can. */
async function askUnderLoad(pair: Pair, perSecond: number): Promise<{ asked: number[]; oneWay: number[] }> {
  await pair.receiver.call('takeLatencies');
  const forMs = asks * (askGapMs + 4);
  const pacing = pair.sender.call('pace', { perSecond, forMs, size: 512 });
  const asked = await pair.sender.call('ask', { times: asks, gapMs: askGapMs });
  await pair.receiver.call('receive', { count: await pacing });
  return { asked, oneWay: await pair.receiver.call('takeLatencies') };
}

async function measureLatency(
  pairs: readonly Pair[],
  fsync: Fsync,
  throughput: readonly { contestant: Name; bytes: number; perSecond: number }[],
) {
  const kinds = ['askRest', 'askHalf', 'oneWayRest', 'oneWayHalf'] as const;
  const found = new Map(
    pairs.map(({ name }) => [
      name,
      { askRest: [], askHalf: [], oneWayRest: [], oneWayHalf: [] } as Record<
        (typeof kinds)[number],
        number[]
      >,
    ]),
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const pair of pairs) {
      const into = found.get(pair.name);
      const most =
        throughput.find((row) => row.contestant === pair.name && row.bytes === 512)?.perSecond ?? 2_000;
      into?.askRest.push(...(await pair.sender.call('ask', { times: asks, gapMs: askGapMs })));
      into?.oneWayRest.push(...(await pacedLatency(pair, atRestPerSecond)));
      into?.oneWayHalf.push(...(await pacedLatency(pair, most / 2)));
      into?.askHalf.push(...(await askUnderLoad(pair, most / 2)).asked);
    }
    say(`${fsync}, latency: round ${round + 1} of ${rounds}`);
  }
  return pairs.map(({ name }) => {
    const of = (kind: (typeof kinds)[number], share: number) =>
      rounded(quantile(found.get(name)?.[kind] ?? [], share));
    const both = (kind: (typeof kinds)[number]) => ({ p50: of(kind, 0.5), p99: of(kind, 0.99) });
    return {
      contestant: name,
      fsync,
      askAtRest: both('askRest'),
      askAtHalfLoad: both('askHalf'),
      oneWayAtRest: both('oneWayRest'),
      oneWayAtHalfLoad: both('oneWayHalf'),
      halfLoadToRest: rounded(of('oneWayHalf', 0.5) / of('oneWayRest', 0.5)),
    };
  });
}

const results: { throughput: unknown[]; latency: unknown[]; growth: unknown[]; idle: unknown } = {
  throughput: [],
  latency: [],
  growth: [],
  idle: null,
};
for (const fsync of values.fsync.split(',') as Fsync[]) {
  if (!parts.includes('throughput') && !parts.includes('latency')) break;
  const redis = await startTestRedis({ appendfsync: fsync });
  const pairs: Pair[] = [];
  try {
    const { pid: redisPid } = await redis.admin.verify();
    for (const name of contestants) pairs.push(await openPair(redis, name));
    const throughput = parts.includes('throughput') ? await measureThroughput(pairs, redisPid, fsync) : [];
    results.throughput.push(...throughput);
    for (const row of throughput) say(JSON.stringify(row));
    if (parts.includes('latency')) results.latency.push(...(await measureLatency(pairs, fsync, throughput)));
  } finally {
    for (const { sender, receiver } of pairs) await Promise.all([sender.close(), receiver.close()]);
    await redis.stop();
  }
}
if (parts.includes('growth')) results.growth = await measureGrowth({ rounds: Math.min(rounds, 2), say });
if (parts.includes('memory')) results.idle = await measureIdleTree();
for (const [part, rows] of Object.entries(results)) {
  for (const row of Array.isArray(rows) ? rows : [rows]) if (row) say(`${part} ${JSON.stringify(row)}`);
}
const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version };
process.stdout.write(`${JSON.stringify({ bench: 'messaging', rounds, machine, ...results })}\n`);
