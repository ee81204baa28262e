import { randomUUID } from 'node:crypto';
import { edgeKey } from '../../src/protocol/keys.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { Peer } from './contestant.ts';
import { manyEdgesReader } from './elder-endpoint.ts';
import { atRate, type EndpointConfig, stampedBody } from './endpoint.ts';
import { cpuMs } from './process-cost.ts';
import { encodeCommand, RespClient } from './resp-client.ts';
import { median, quantile, rounded } from './statistics.ts';

const edgeCounts = [1, 4, 16, 64, 256] as const;
const underLoad = 12_800;
const pipeline = 640;
const atRest = { perSecond: 200, forMs: 2_000 };

/** Writes into edges in turn, as their servants would, with as little work as can be. */
class EdgeWriter {
  readonly #client: RespClient;
  readonly #keys: TestRedis['keys'];
  readonly #sent = new Map<string, number>();
  #turn = 0;

  constructor(client: RespClient, keys: TestRedis['keys']) {
    this.#client = client;
    this.#keys = keys;
  }

  async write(count: number, edges: number, stamped: boolean): Promise<void> {
    let encoded = '';
    for (let index = 0; index < count; index += 1) {
      this.#turn += 1;
      const source = `servant_${(this.#turn % edges) + 1}`;
      const sequence = (this.#sent.get(source) ?? 0) + 1;
      this.#sent.set(source, sequence);
      const body = JSON.stringify({
        message_id: randomUUID(),
        source_elder: source,
        target_elder: manyEdgesReader,
        message_type: 'report',
        payload: { lease: stampedBody(128, stamped) },
        priority: 5,
        timestamp: new Date().toISOString(),
        action: 'report.to_sage.lease_renewed',
      });
      const key = this.#keys.edge(manyEdgesReader, source, 'normal');
      encoded += encodeCommand(['XADD', key, '*', 'q', String(sequence), 'm', body]);
      // As the commit function does for each commit.
      const channel = this.#keys.wakeUps(manyEdgesReader);
      encoded += encodeCommand(['PUBLISH', channel, edgeKey(source, 'normal')]);
    }
    await this.#client.pipeline(encoded, 2 * count);
  }
}

interface Cost {
  readonly reader: number;
  readonly redis: number;
  readonly latencyMs: number;
}

/** What a message costs a reader and Redis (µs of CPU), by how many edges the reader has, busy and at rest. */
export async function measureGrowth(options: {
  rounds: number;
  say: (text: string) => void;
}): Promise<unknown[]> {
  const redis = await startTestRedis({ servants: Math.max(...edgeCounts), appendfsync: 'everysec' });
  try {
    const { pid: redisPid } = await redis.admin.verify();
    const tls = await redis.tlsOf(manyEdgesReader);
    const common = {
      contestant: 'elders',
      side: 'receiver',
      tree: redis.tree,
      redis: redis.endpoint,
      tls,
    } as const;
    await redis.admin.command(['ACL', 'SETUSER', 'bench', 'on', '>of-the-benchmark', '~*', '&*', '+@all']);
    const credential = { username: 'bench', password: 'of-the-benchmark', incarnation: 1 };
    const client = await RespClient.open({ ...common, credential });
    const writer = new EdgeWriter(client, redis.keys);
    const found = new Map(edgeCounts.map((edges) => [edges, { load: [] as Cost[], rest: [] as Cost[] }]));
    for (let round = 0; round < options.rounds; round += 1) {
      for (const edges of edgeCounts) {
        const config: EndpointConfig = {
          ...common,
          servants: edges,
          credential: await redis.createIncarnation(manyEdgesReader),
        };
        const reader = await Peer.open(config);
        const measure = async (send: () => Promise<number>): Promise<Cost> => {
          await reader.call('takeLatencies');
          const before = [reader.pid, redisPid].map(cpuMs);
          const count = await send();
          await reader.call('receive', { count });
          const [readerUs = 0, redisUs = 0] = [reader.pid, redisPid].map(
            (pid, index) => ((cpuMs(pid) - (before[index] ?? 0)) * 1_000) / count,
          );
          const latencyMs = quantile(await reader.call('takeLatencies'), 0.5);
          return { reader: readerUs, redis: redisUs, latencyMs };
        };
        const flood = async (count: number) => {
          for (let sent = 0; sent < count; sent += pipeline) await writer.write(pipeline, edges, false);
          return count;
        };
        await measure(() => flood(underLoad / 2));
        found.get(edges)?.load.push(await measure(() => flood(underLoad)));
        const pace = () => atRate(atRest, (count) => void writer.write(count, edges, true));
        found.get(edges)?.rest.push(await measure(pace));
        await reader.close();
      }
      options.say(`growth: round ${round + 1} of ${options.rounds}`);
    }
    client.close();
    return rowsOf(found);
  } finally {
    await redis.stop();
  }
}

function rowsOf(
  found: ReadonlyMap<number, { readonly load: readonly Cost[]; readonly rest: readonly Cost[] }>,
) {
  const middle = (costs: readonly Cost[]) => {
    const reader = median(costs.map((cost) => cost.reader));
    const redis = median(costs.map((cost) => cost.redis));
    return { reader: rounded(reader, 1), redis: rounded(redis, 1), total: reader + redis };
  };
  const one = found.get(1) ?? { load: [], rest: [] };
  return [...found].map(([edges, { load, rest }]) => {
    const [busy, idle] = [middle(load), middle(rest)];
    return {
      edges,
      underLoad: {
        reader: busy.reader,
        redis: busy.redis,
        ratio: rounded(busy.total / middle(one.load).total),
      },
      atRest: {
        reader: idle.reader,
        redis: idle.redis,
        ratio: rounded(idle.total / middle(one.rest).total),
        wakeUpMs: rounded(median(rest.map((cost) => cost.latencyMs)), 3),
      },
    };
  });
}
