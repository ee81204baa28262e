import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { freePort } from '../test/support/free-port.ts';
import { startTestRedis, type TestRedis } from '../test/support/redis.ts';
import { Peer } from './messaging/contestant.ts';
import { elderNames } from './messaging/elder-endpoint.ts';
import type { EndpointConfig, Side } from './messaging/endpoint.ts';
import { cpuMs } from './messaging/process-cost.ts';
import { median, rounded } from './messaging/statistics.ts';

// What TLS, the ACL of Redis and the checks of rights cost per message: the product's own processes with each taken out.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    messages: { type: 'string', default: '16000' },
    asks: { type: 'string', default: '150' },
    fsync: { type: 'string', default: 'always' },
  },
});
const rounds = Number(values.rounds);
const size = 512;
const askGapMs = 3;
const say = (text: string) => process.stderr.write(`${text}\n`);

interface Variant {
  readonly name: string;
  readonly tls: boolean;
  readonly acl: boolean;
  readonly checks: boolean;
}

const variants: readonly Variant[] = [
  { name: 'all', tls: true, acl: true, checks: true },
  { name: 'without TLS', tls: false, acl: true, checks: true },
  { name: 'without ACL', tls: true, acl: false, checks: true },
  { name: 'without checks', tls: true, acl: true, checks: false },
  { name: 'none', tls: false, acl: false, checks: false },
];

interface Bench {
  readonly variant: Variant;
  readonly redis: TestRedis;
  readonly sender: Peer;
  readonly receiver: Peer;
  readonly pids: readonly number[];
  readonly perSecond: number[];
  /** µs of CPU per message, of both processes and Redis together. */
  readonly cpu: number[];
  readonly askMs: number[];
}

interface Run {
  readonly perSecond: number;
  readonly cpu: number;
}

async function open(variant: Variant): Promise<Bench> {
  const redis = await startTestRedis({ appendfsync: values.fsync as 'always' });
  const plainPort = variant.tls ? 0 : await freePort();
  if (plainPort > 0) await redis.admin.command(['CONFIG', 'SET', 'port', String(plainPort)]);
  const query = new URLSearchParams({
    ...(plainPort > 0 && { plainPort: String(plainPort) }),
    ...(!variant.checks && { checks: '' }),
  });
  const preload = new URL(`security/without.ts?${query}`, import.meta.url).href;
  const side = async (side: Side) => {
    const principal = elderNames[side];
    const credential = await redis.createIncarnation(principal);
    // A user that may do everything is not looked at any further.
    const all = ['~*', '&*', '+@all'];
    if (!variant.acl) await redis.admin.command(['ACL', 'SETUSER', credential.username, ...all]);
    const config: EndpointConfig = {
      contestant: 'elders',
      side,
      tree: redis.tree,
      redis: redis.endpoint,
      tls: await redis.tlsOf(principal),
      credential,
    };
    return Peer.open(config, ['--import', preload]);
  };
  const receiver = await side('receiver');
  const sender = await side('sender');
  const { pid } = await redis.admin.verify();
  await requirePort(redis, plainPort || redis.endpoint.port);
  const pids = [sender.pid, receiver.pid, pid];
  return { variant, redis, receiver, sender, pids, perSecond: [], cpu: [], askMs: [] };
}

/** A variant that still speaks TLS by mistake would show no cost, so the server is asked where its clients came in. */
async function requirePort(redis: TestRedis, port: number): Promise<void> {
  const clients = String(await redis.admin.command(['CLIENT', 'LIST']));
  const elders = clients
    .split('\n')
    .filter((line) => /user=\S*sage/.test(line) || /user=\S*elder/.test(line));
  const strays = elders.filter((line) => !line.includes(`laddr=${redis.endpoint.host}:${port} `));
  if (elders.length < 2 || strays.length > 0)
    throw new Error(`${elders.length} connections of elders, ${strays.length} of them not at port ${port}`);
}

async function flood({ sender, receiver, pids }: Bench, count: number): Promise<Run> {
  const cpu = () => pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
  const before = cpu();
  const began = performance.now();
  const received = receiver.call('receive', { count });
  await Promise.all([received, sender.call('send', { count, size })]);
  const ms = performance.now() - began;
  return { perSecond: (count * 1_000) / ms, cpu: ((cpu() - before) * 1_000) / count };
}

const benches: Bench[] = [];
try {
  for (const variant of variants) benches.push(await open(variant));
  const count = Number(values.messages);
  for (const bench of benches) await flood(bench, Math.ceil(count / 4));
  for (let round = 0; round < rounds; round += 1) {
    // In turn, and the other way round each second time, so that what changes with time falls on all alike.
    for (const bench of round % 2 === 0 ? benches : benches.toReversed()) {
      const run = await flood(bench, count);
      bench.perSecond.push(run.perSecond);
      bench.cpu.push(run.cpu);
      bench.askMs.push(...(await bench.sender.call('ask', { times: Number(values.asks), gapMs: askGapMs })));
    }
    say(`round ${round + 1} of ${rounds}`);
  }
  const [all] = benches as [Bench];
  const rows = benches.map(({ variant, perSecond, cpu, askMs }) => ({
    variant: variant.name,
    perSecond: Math.round(median(perSecond)),
    lowest: Math.round(Math.min(...perSecond)),
    highest: Math.round(Math.max(...perSecond)),
    cpuMicroseconds: rounded(median(cpu), 1),
    askMs: rounded(median(askMs), 3),
    // Share of the throughput of this variant that what it leaves out would take; time that it adds at rest.
    costBatched: rounded(1 - median(all.perSecond) / median(perSecond), 3),
    // The same by CPU time, which other work on the machine disturbs less.
    costCpu: rounded(1 - median(cpu) / median(all.cpu), 3),
    costAtRestMs: rounded(median(all.askMs) - median(askMs), 3),
  }));
  for (const row of rows) say(JSON.stringify(row));
  const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version };
  process.stdout.write(
    `${JSON.stringify({ bench: 'security', fsync: values.fsync, rounds, messages: count, bytes: size, machine, rows })}\n`,
  );
} finally {
  for (const { sender, receiver, redis } of benches) {
    await Promise.all([sender.close(), receiver.close()]);
    await redis.stop();
  }
}
