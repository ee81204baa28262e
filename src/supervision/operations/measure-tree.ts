import { type EdgeCount, readEdgeCounts } from '../../messaging/edge-counts.ts';
import type { RedisCommands } from '../../messaging/redis/redis-commands.ts';
import { principals } from '../../protocol/edges.ts';
import { treeKeys } from '../../protocol/keys.ts';
import type { ProcessMeasure, TreeMeasure } from '../../protocol/operations.ts';
import type { TreeStatus } from '../../protocol/process.ts';
import { readCpuTime, readResidentMemory } from '../../telemetry/process-usage.ts';

type Counts = Pick<ProcessMeasure, 'handled' | 'sent' | 'waiting'>;

const unknown: Counts = { handled: null, sent: null, waiting: null };

/** Measures what every process of a tree has used and done so far; while Redis is away, messages are not counted. */
export async function measureTree(status: TreeStatus, redis: RedisCommands | null): Promise<TreeMeasure> {
  const names = principals(status.elders);
  const edges =
    redis === null || status.redis.state !== 'ready'
      ? null
      : await readEdgeCounts(redis, treeKeys(status.tree), names, status.elders).catch(() => null);
  const { manager } = status;
  const processes = [
    ...(manager === null
      ? []
      : [measure({ name: 'manager', state: 'ready', pid: manager.pid, restarts: 0 }, edges)]),
    measure({ name: 'redis', ...status.redis }, null),
    ...status.elders.map((elder) => measure(elder, edges)),
  ];
  return { at: performance.now(), state: status.state, processes };
}

function measure(
  { name, state, pid, restarts }: Pick<ProcessMeasure, 'name' | 'state' | 'pid' | 'restarts'>,
  edges: readonly EdgeCount[] | null,
): ProcessMeasure {
  return {
    name,
    state,
    pid,
    cpuTime: (pid === null ? undefined : readCpuTime(pid)) ?? null,
    memory: (pid === null ? undefined : readResidentMemory(pid)) ?? null,
    ...(edges === null ? unknown : countsOf(name, edges)),
    restarts,
  };
}

function countsOf(name: string, edges: readonly EdgeCount[]): Counts {
  let handled = 0;
  let sent = 0;
  let waiting = 0;
  for (const edge of edges) {
    if (edge.source === name) sent += edge.sent;
    if (edge.target !== name) continue;
    handled += edge.handled;
    waiting += edge.sent - edge.handled;
  }
  return { handled, sent, waiting };
}
