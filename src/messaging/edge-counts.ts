import { edgeLanes, principals, sourcesOf, targetsOf } from '../protocol/edges.ts';
import { edgeKey, type TreeKeys } from '../protocol/keys.ts';
import type { Lane } from '../protocol/lanes.ts';
import type { ElderSpec } from '../protocol/roster.ts';
import type { RedisCommands } from './redis/redis-commands.ts';
import { decodeHash, decodePosition, replyArray } from './redis/replies.ts';
import { outFieldPrefix } from './reserved-fields.ts';

/** How much has gone through one edge since the first start of the tree. */
export interface EdgeCount {
  readonly source: string;
  readonly target: string;
  readonly lane: Lane;
  readonly sent: number;
  readonly handled: number;
}

/**
 * Counts what was sent into and handled from every edge that begins or ends at one of `names`; `elders` are
 * all of the tree. The two sides are read one after the other, so an edge in use may be off by
 * what went through it meanwhile. Throws as the connection does.
 */
export async function readEdgeCounts(
  redis: RedisCommands,
  keys: TreeKeys,
  names: readonly string[],
  elders: readonly Pick<ElderSpec, 'name'>[],
): Promise<EdgeCount[]> {
  const all = principals(elders);
  const wanted = new Set(names);
  const lanesOf = (source: string, target: string) => {
    if (!wanted.has(source) && !wanted.has(target)) return [];
    return edgeLanes(source, target).map((lane) => ({ source, target, lane }));
  };
  const targets = all.filter(
    (name) => wanted.has(name) || sourcesOf(name, elders).some((source) => wanted.has(source)),
  );
  const positions = new Map(
    await Promise.all(
      targets.map(
        async (name) => [name, decodeHash(await redis.command(['HGETALL', keys.positions(name)]))] as const,
      ),
    ),
  );
  const counts = await Promise.all(
    all.map(async (source): Promise<EdgeCount[]> => {
      const edges = targetsOf(source, elders).flatMap((target) => lanesOf(source, target));
      if (edges.length === 0) return [];
      const fields = edges.map(({ target, lane }) => `${outFieldPrefix}${target}:${lane}`);
      const sent = replyArray(await redis.command(['HMGET', keys.state(source), ...fields]), 'counters');
      return edges.map((edge, index) => {
        const position = positions.get(edge.target)?.get(edgeKey(source, edge.lane));
        const handled = position === undefined ? 0 : decodePosition(position).sequence;
        return { ...edge, handled, sent: Math.max(handled, Number(sent[index] ?? 0)) };
      });
    }),
  );
  return counts.flat();
}
