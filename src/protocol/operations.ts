import { z } from 'zod';
import { certificateRow } from './certificates.ts';
import { pastError } from './local-api.ts';
import { elderStatus } from './process.ts';

/** A request to put new processes in the place of these elders, or of all. */
export const restartRequest = z.strictObject({ names: z.array(z.string().max(64)).max(1_000).nullable() });

/** One edge of an elder. `sent` and `handled` count from the first start of the tree. */
const describedEdge = z.object({
  source: z.string(),
  target: z.string(),
  lane: z.string(),
  sent: z.int(),
  handled: z.int(),
  /** Entries in Redis: those that wait, and those that are kept for `trace`. */
  length: z.int(),
});

/** `elders describe NAME --json`. Times are ms since the epoch, durations ms, sizes bytes. */
export const elderDescription = z.object({
  schemaVersion: z.literal(1),
  status: elderStatus,
  supervision: z.object({
    branch: z.string(),
    strategy: z.enum(['one_for_one', 'rest_for_one']),
    restart: z.enum(['permanent', 'transient', 'temporary']),
    order: z.int(),
    shutdown: z.int(),
    memoryLimit: z.int(),
    intensity: z.int(),
    period: z.int(),
  }),
  /** When it crashed within the last period. */
  crashes: z.array(z.number()),
  /** Why its processes ended before their time, lately, the newest first. */
  errors: z.array(pastError),
  memory: z.int().nullable(),
  cpuTime: z.int().nullable(),
  /** The certificate that it shows now. */
  certificate: certificateRow.nullable(),
  permissions: z.array(z.string()),
  /** What it may send to whom. */
  sends: z.array(z.object({ to: z.string(), actions: z.array(z.string()) })),
  edges: z.array(describedEdge),
});
export type ElderDescription = z.infer<typeof elderDescription>;

/** What one process has used and done so far, and `null` where that cannot be told. */
export const processMeasure = z.object({
  name: z.string(),
  state: z.string(),
  pid: z.int().nullable(),
  /** Ms of CPU time since its start. */
  cpuTime: z.int().nullable(),
  /** Bytes. */
  memory: z.int().nullable(),
  /** Messages since the first start of the tree; those that wait are in its own inbox. */
  handled: z.int().nullable(),
  sent: z.int().nullable(),
  waiting: z.int().nullable(),
  restarts: z.int(),
});

/** What every process of the tree has used and done up to one moment; `at` is monotonic ms of the manager. */
export const treeMeasure = z.object({
  at: z.number(),
  state: z.string(),
  processes: z.array(processMeasure),
});
export type TreeMeasure = z.infer<typeof treeMeasure>;
export type ProcessMeasure = z.infer<typeof processMeasure>;
