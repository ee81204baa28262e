import { z } from 'zod';

/** A request for other numbers of servants, by pool; `auto` leaves it to the automatic. */
export const scaleRequest = z.strictObject({
  pools: z.record(z.string().max(64), z.union([z.int().min(0).max(1_000), z.literal('auto')])),
  /** Whether to answer only when new servants are ready and those that are too many have ended. */
  wait: z.boolean(),
});
export type ScaleRequest = z.infer<typeof scaleRequest>;

/** One pool of servants as it is. Times are ms since the epoch. */
export const poolScale = z.object({
  /** `servant`, or the label of a group. */
  pool: z.string(),
  /** How many are given tasks. */
  count: z.int(),
  /** Of those, how many are ready, and how many have a task; `null` where the task sage cannot be asked. */
  ready: z.int(),
  busy: z.int().nullable(),
  /** Servants that finish what they have and go. */
  draining: z.array(z.string()),
  /** Tasks that wait for nothing but a servant; `null` where that is not counted. */
  waiting: z.int().nullable(),
  least: z.int(),
  /** Bounds of the automatic; `max` is that of everybody. */
  min: z.int(),
  max: z.int(),
  automatic: z.boolean(),
  /** How the count last changed while this manager ran. */
  last: z
    .object({ at: z.number(), from: z.int(), to: z.int(), by: z.string(), reason: z.string().nullable() })
    .nullable(),
});
export type PoolScale = z.infer<typeof poolScale>;

/** `elders scale --json`. */
export const scaleState = z.object({ schemaVersion: z.literal(1), pools: z.array(poolScale) });
export type ScaleState = z.infer<typeof scaleState>;
