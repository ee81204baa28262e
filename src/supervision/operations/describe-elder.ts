import { type EdgeCount, readEdgeCounts } from '../../messaging/edge-counts.ts';
import type { RedisCommands } from '../../messaging/redis/redis-commands.ts';
import type { CertificateRow } from '../../protocol/certificates.ts';
import { childSpec } from '../../protocol/child-spec.ts';
import type { Config } from '../../protocol/config.ts';
import { edgeActions, targetsOf } from '../../protocol/edges.ts';
import { ElderError } from '../../protocol/errors.ts';
import { type TreeKeys, treeKeys } from '../../protocol/keys.ts';
import { didYouMean } from '../../protocol/nearest.ts';
import type { ElderDescription } from '../../protocol/operations.ts';
import { permissionsOf } from '../../protocol/permissions.ts';
import type { ElderStatus } from '../../protocol/process.ts';
import { type ElderSpec, roster } from '../../protocol/roster.ts';
import { possibleServants } from '../../protocol/servant-pools.ts';
import { readCpuTime, readResidentMemory } from '../../telemetry/process-usage.ts';
import { branchOf } from '../branches/branch-tree.ts';
import type { ElderSupervisor } from '../elders/elder-supervisor.ts';

interface DescribeOptions {
  readonly tree: string;
  readonly config: Config;
  readonly elder: ElderSupervisor | undefined;
  /** As the tree's status shows it: only that looks at what walls the process off. */
  readonly status: ElderStatus | undefined;
  readonly certificates: readonly CertificateRow[];
  readonly redis: RedisCommands;
}

/** Tells all that is known of one elder. Throws `not_found` for an unknown name, and as the connection to Redis does. */
export async function describeElder(name: string, options: DescribeOptions): Promise<ElderDescription> {
  const { config, elder, status } = options;
  const specs = roster(possibleServants(config));
  const spec = specs.find((each) => each.name === name);
  if (spec === undefined || elder === undefined || status === undefined) {
    const known = specs.map((each) => each.name);
    throw new ElderError('not_found', `no elder ${JSON.stringify(name)}${didYouMean(name, known)}`);
  }
  const { restart, order, shutdown, memoryLimit } = childSpec(config, name);
  const { intensity, period, branches } = config.supervision;
  const branch = branchOf(spec);
  return {
    schemaVersion: 1,
    status,
    supervision: {
      branch,
      strategy: branches[branch].strategy,
      restart,
      order,
      shutdown,
      memoryLimit,
      intensity,
      period,
    },
    crashes: [...elder.crashes],
    errors: elder.errors.toReversed(),
    memory: (status.pid === null ? undefined : readResidentMemory(status.pid)) ?? null,
    cpuTime: (status.pid === null ? undefined : readCpuTime(status.pid)) ?? null,
    certificate: options.certificates.find((row) => row.name === name && row.state === 'current') ?? null,
    permissions: permissionsOf(name),
    sends: targetsOf(name, specs).map((to) => ({ to, actions: [...edgeActions(name, to)] })),
    edges: await describeEdges(name, specs, options),
  };
}

async function describeEdges(
  name: string,
  all: readonly ElderSpec[],
  { redis, tree }: DescribeOptions,
): Promise<ElderDescription['edges']> {
  const keys = treeKeys(tree);
  const counts = await readEdgeCounts(redis, keys, [name], all);
  return Promise.all(counts.map(async (edge) => ({ ...edge, length: await lengthOf(edge, redis, keys) })));
}

async function lengthOf(edge: EdgeCount, redis: RedisCommands, keys: TreeKeys): Promise<number> {
  return Number(await redis.command(['XLEN', keys.edge(edge.target, edge.source, edge.lane)]));
}
