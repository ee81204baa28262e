import { z } from 'zod';
import { approvalRecord, risks } from './approval.ts';
import { networkHost } from './network-host.ts';
import { attemptOutcomes, directiveStates, taskStates } from './states.ts';

/** The most tasks that one directive may hold, so that it fits one message. */
export const maxTasks = 5_000;

/** How long a task may run when its directive does not say (1 h, in ms). */
export const defaultTaskTimeoutMs = 3_600_000;

/** Id of a task. It names files of output, so it can never leave their folder. */
export const taskId = z
  .string()
  .min(1)
  .max(64)
  .regex(
    /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._-]*$/u,
    'expected letters, digits, `.`, `_` or `-`, the first a letter, digit or `_`',
  );

/** A label of a servant, or the name of a lock. */
export const label = z
  .string()
  .regex(
    /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}.:/_-]{0,63}$/u,
    'expected letters, digits, `.`, `:`, `/`, `_` or `-`',
  );

/** One task as the task sage keeps it: durations in ms, defaults filled in. */
export const taskSpec = z.object({
  id: taskId,
  run: z.string().min(1).max(65_536),
  needs: z.array(z.string()),
  retries: z.int().min(0).max(100),
  timeoutMs: z.int().min(1),
  priority: z.int().min(1).max(10),
  env: z.record(z.string(), z.string()),
  matrix: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/),
      z.array(z.string().max(256)).min(1).max(10_000),
    )
    .optional(),
  condition: z.string().min(1).max(2_000).optional(),
  labels: z.array(label).max(16).optional(),
  locks: z.array(label).max(16).optional(),
  deadlineMs: z.int().min(1).optional(),
  additions: z.boolean().optional(),
  reports: z.array(z.string().min(1).max(256)).max(16).optional(),
  hosts: z.array(networkHost).max(64).optional(),
  git: z
    .object({
      result: z.enum(['commit', 'patch']),
      merge: z.union([z.literal(true), z.string().min(1).max(200)]).optional(),
    })
    .optional()
    .describe(
      'A worktree of its own; where its commit is merged: a branch, or `true` for the one checked out.',
    ),
  artifacts: z.array(z.string().min(1).max(256)).max(16).optional(),
});
export type TaskSpec = z.infer<typeof taskSpec>;

/** A directive after parsing: the workspace is an absolute path, tasks are complete. */
export const directiveSpec = z.object({
  title: z.string().min(1).max(200),
  goal: z.string().max(4_000),
  workspace: z.string().min(1),
  risk: z.enum(risks).optional().describe('What its author takes the risk for.'),
  tasks: z.array(taskSpec).min(1).max(maxTasks),
  deadlineMs: z.int().min(1).optional(),
});
export type DirectiveSpec = z.infer<typeof directiveSpec>;

/** The grand elder's record of a directive. Times are ms since the epoch. */
export const directiveRecord = z.object({
  id: z.string(),
  title: z.string(),
  goal: z.string(),
  workspace: z.string(),
  taskCount: z.int(),
  state: z.enum(directiveStates),
  reason: z.string().nullable(),
  submittedAt: z.number(),
  finishedAt: z.number().nullable(),
  summary: z.record(z.string(), z.int()).nullable().describe('Tasks per state, once it has ended.'),
  lessons: z.array(z.string()).describe('Titles of what was known before the plan was made.'),
  approval: approvalRecord
    .pick({ id: true, risk: true, reasons: true, digest: true, expiresAt: true })
    .nullable()
    .default(null)
    .describe('What the human is to decide, while it waits for that.'),
  halted: z.string().nullable().default(null).describe('Reason of the emergency halt in force, if any.'),
});
export type DirectiveRecord = z.infer<typeof directiveRecord>;

/** What the test reports of one attempt say, the first failures by name. */
export const testSummary = z.object({
  passed: z.int(),
  failed: z.int(),
  skipped: z.int(),
  failures: z.array(z.object({ name: z.string().max(300), message: z.string().max(1_000) })).max(50),
  problems: z.array(z.string().max(300)).max(10).describe('Reports that could not be read, and why.'),
});
export type TestSummary = z.infer<typeof testSummary>;

/** What became of the worktree of an attempt. */
export const gitResult = z.object({
  branch: z.string().nullable().describe('`null` once it is gone because nothing was changed.'),
  base: z.string().describe('The commit that the work began from.'),
  commit: z.string().nullable(),
  patch: z.string().nullable().describe('Path of the patch on the servant’s host.'),
  merged: z.string().nullable().describe('The branch that the commit was merged into.'),
  worktree: z.string().nullable().describe('Path of the worktree, where it was left.'),
  files: z.int().describe('How many files it changed.'),
});
export type GitResult = z.infer<typeof gitResult>;

/** What an attempt used, as far as a look every 250 ms can tell. */
export const attemptUsage = z.object({
  cpuMs: z.number(),
  memoryPeak: z.number().describe('Bytes.'),
  readBytes: z.number(),
  writtenBytes: z.number(),
});
export type AttemptUsage = z.infer<typeof attemptUsage>;

/** A file that was kept with an attempt. */
export const artifactRecord = z.object({ path: z.string().max(512), bytes: z.int(), sha256: z.string() });

/** What an attempt left besides its output. */
export const artifactList = z.object({
  folder: z.string().describe('Where they are kept on the servant’s host.'),
  files: z.array(artifactRecord).max(200),
  problems: z.array(z.string().max(300)).max(10).describe('What was not kept, and why.'),
});
export type ArtifactList = z.infer<typeof artifactList>;

/** How far an attempt says that it is. */
export const attemptProgress = z.object({
  done: z.number().nullable(),
  total: z.number().nullable(),
  text: z.string().max(200),
  at: z.number(),
});
export type AttemptProgress = z.infer<typeof attemptProgress>;

/** One finished or running attempt at a task. Times are ms since the epoch. */
export const attemptRecord = z.object({
  attempt: z.int(),
  servant: z.string(),
  outcome: z.enum(attemptOutcomes).nullable(),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
  reason: z.string().nullable(),
  git: gitResult.optional(),
  usage: attemptUsage.optional(),
  artifacts: artifactList.optional(),
});
export type AttemptRecord = z.infer<typeof attemptRecord>;

/** A task as `directive show` prints it. */
export const taskRecord = z.object({
  id: z.string(),
  run: z.string(),
  needs: z.array(z.string()),
  priority: z.int(),
  state: z.enum(taskStates),
  attempts: z.int(),
  exitCode: z.int().nullable(),
  servant: z.string().nullable(),
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
  reason: z.string().nullable(),
  output: z
    .object({ path: z.string(), bytes: z.int(), sha256: z.string(), tail: z.string() })
    .nullable()
    .describe('Output of the last attempt: the file on the servant’s host and at most 64 KB of its end.'),
  history: z.array(attemptRecord),
  matrix: z.record(z.string(), z.string()).optional(),
  labels: z.array(z.string()).optional(),
  locks: z.array(z.string()).optional(),
  condition: z.string().optional(),
  outputs: z
    .record(z.string(), z.string())
    .optional()
    .describe('What the command wrote to `$ELDERS_OUTPUT`.'),
  paused: z.boolean().optional(),
  deadlineAt: z.number().optional(),
  tests: testSummary.optional().describe('What the test reports of the task say.'),
  git: gitResult.optional().describe('What became of the worktree of its last attempt.'),
  progress: attemptProgress.optional().describe('What the command wrote last to `$ELDERS_PROGRESS`.'),
  estimateMs: z
    .object({ p50: z.number(), p90: z.number(), samples: z.int() })
    .optional()
    .describe('How long like tasks took.'),
  index: z.int().min(0).optional().describe('Place among the tasks of its directive, as they were written.'),
});
export type TaskRecord = z.infer<typeof taskRecord>;

/** Puts tasks of a directive into the order in which they were written. */
export function inWrittenOrder(tasks: Iterable<TaskRecord>): TaskRecord[] {
  return [...tasks].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
}

/** What the workers did, summed up. */
export const directiveOutcome = z.enum(['completed', 'failed', 'cancelled']);

/** When a directive may end, ms since the epoch, by how long like tasks took. */
export const directiveForecast = z.object({
  p50: z.number(),
  p90: z.number(),
  unknown: z.int().describe('How many of the tasks that are left are like none that was ever seen.'),
});

/** A directive with its tasks, as `directive show --json` prints it. */
export const directiveView = directiveRecord.extend({
  tasks: z.array(taskRecord),
  forecast: directiveForecast.nullable().default(null),
});
export type DirectiveView = z.infer<typeof directiveView>;
