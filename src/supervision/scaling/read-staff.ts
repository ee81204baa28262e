import { z } from 'zod';
import type { RedisCommands } from '../../messaging/redis/redis-commands.ts';
import { replyArray } from '../../messaging/redis/replies.ts';
import type { TreeKeys } from '../../protocol/keys.ts';

const staffRow = z.object({ revision: z.int() });
const demandRow = z.object({
  at: z.number(),
  pools: z.record(z.string(), z.object({ ready: z.int(), since: z.number() })),
});
const servantRow = z.object({ lease: z.string().nullable(), available: z.boolean() });

/** What the task sage knows of its servants, as it stood at one moment. */
export interface StaffView {
  /** The last order of the manager that is in force there; 0 when there was none. */
  readonly revision: number;
  /** As `revision`, of the grand elder. */
  readonly told: number;
  /** How many tasks wait; `null` where that was not noted. Times are ms since the epoch. */
  readonly demand: z.infer<typeof demandRow> | null;
  /** Servants that have a task, or had one whose end they have not reported. */
  readonly busy: ReadonlySet<string>;
  /** Servants that would take a task. */
  readonly available: ReadonlySet<string>;
}

/**
 * Reads from the committed state of the task sage whom it gives tasks, who has one, and what waits; in one command, so
 * that these belong together. And of the grand elder, which servants it knows. Throws as the connection does.
 */
export async function readStaff(
  redis: RedisCommands,
  keys: TreeKeys,
  servants: readonly string[],
): Promise<StaffView> {
  const fields = ['staff/now', 'demand/now', ...servants.map((name) => `servants/${name}`)];
  const [reply, grand] = await Promise.all([
    redis.command(['HMGET', keys.state('task_sage'), ...fields]),
    redis.command(['HGET', keys.state('grand_elder'), 'staff/now']),
  ]);
  const [staff, demand, ...rows] = replyArray(reply, 'rows').map(parse);
  const busy = new Set<string>();
  const available = new Set<string>();
  for (const [index, name] of servants.entries()) {
    const row = servantRow.safeParse(rows[index]);
    if (row.success && row.data.lease !== null) busy.add(name);
    if (row.success && row.data.available) available.add(name);
  }
  return {
    revision: staffRow.safeParse(staff).data?.revision ?? 0,
    told: staffRow.safeParse(parse(grand)).data?.revision ?? 0,
    demand: demandRow.safeParse(demand).data ?? null,
    busy,
    available,
  };
}

function parse(value: unknown): unknown {
  if (value === null) return null;
  try {
    return JSON.parse(String(value));
  } catch {
    return null;
  }
}
