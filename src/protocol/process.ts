import { z } from 'zod';
import { poolScale } from './scaling.ts';
import { elderStates, treeStates } from './states.ts';

/**
 * Names one process of this host for ever: a pid alone is used again, a pid with its start time and the
 * boot it belongs to is not.
 */
export const processIdentity = z.object({
  pid: z.int().min(1),
  /** Linux: field 22 of `/proc/PID/stat`, in clock ticks since boot. */
  startTime: z.string(),
  bootId: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentity>;

/** What the manager notes on disk about a process it started, so that the next manager can adopt it. */
export const processRecord = processIdentity.extend({
  name: z.string(),
  incarnation: z.int().min(0),
  host: z.string(),
  port: z.int(),
  startedAt: z.number(),
  restarts: z.int().min(0),
});
export type ProcessRecord = z.infer<typeof processRecord>;

/** How every process is found that guards what a servant runs: all of them, and no other, have `mark` as an argument. */
export const sandboxNote = z.object({ mark: z.string().min(16), kind: z.enum(['bubblewrap', 'none']) });

/** One elder in `elders status --json` and in the registry. Times are ms since the epoch. */
export const elderStatus = z.object({
  name: z.string(),
  role: z.string(),
  parent: z.string().nullable(),
  pid: z.int().nullable(),
  port: z.int(),
  state: z.enum(elderStates),
  incarnation: z.int(),
  restarts: z.int(),
  startedAt: z.number().nullable(),
  /** Why it is not ready, where it is not. */
  reason: z.string().nullable(),
  /** What walls this process off from the others of the same user, as the kernel tells it. */
  isolation: z.enum(['bubblewrap', 'none']),
});
export type ElderStatus = z.infer<typeof elderStatus>;

/** One warm process that waits to become an elder; it holds no identity and no right. */
export const spareStatus = z.object({
  name: z.string(),
  /** The elders that it can become: those with the same isolation. */
  takes: z.array(z.string()),
  /** `warming`: it is being started; `backoff`: it ended and is started again after a while. */
  state: z.enum(['warming', 'ready', 'backoff']),
  pid: z.int().nullable(),
  startedAt: z.number().nullable(),
  /** How often one ended without having become an elder. */
  restarts: z.int(),
  reason: z.string().nullable(),
  isolation: z.enum(['bubblewrap', 'none']),
});
export type SpareStatus = z.infer<typeof spareStatus>;

/** `elders status --json`. */
export const treeStatus = z.object({
  schemaVersion: z.literal(1),
  tree: z.string(),
  state: z.enum(treeStates),
  manager: z.object({ pid: z.int(), startedAt: z.number(), version: z.string() }).nullable(),
  redis: z.object({
    managed: z.boolean(),
    host: z.string(),
    port: z.int(),
    pid: z.int().nullable(),
    state: z.enum(['starting', 'ready', 'unreachable', 'stopped']),
    restarts: z.int(),
    appendfsync: z.string(),
    /** Why it is not safe to run a tree on, where `allowInsecureRedis` lets that pass. */
    insecure: z.array(z.string()),
    /** Why it is not ready, or what it has lost since the tree was started. */
    reason: z.string().nullable(),
  }),
  /** How servants wall off commands. */
  sandbox: z.string(),
  elders: z.array(elderStatus),
  spares: z.array(spareStatus),
  /** The pools of servants; absent where no manager runs. */
  pools: z.array(poolScale).optional(),
});
export type TreeStatus = z.infer<typeof treeStatus>;
