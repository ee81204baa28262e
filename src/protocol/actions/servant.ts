import { z } from 'zod';
import {
  artifactList,
  attemptProgress,
  attemptRecord,
  attemptUsage,
  directiveOutcome,
  gitResult,
  taskRecord,
  taskSpec,
  testSummary,
} from '../directive.ts';
import { attemptOutcomes } from '../states.ts';
import type { ActionSpec } from './action-spec.ts';
import { directiveId, leaseId } from './ids.ts';

/** What one finished attempt came to, told by the servant. */
export const attemptResult = z.object({
  directiveId,
  taskId: z.string(),
  lease: leaseId,
  attempt: z.int().min(1),
  outcome: z.enum(attemptOutcomes),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  startedAt: z.number().nullable(),
  finishedAt: z.number(),
  reason: z.string().nullable(),
  output: taskRecord.shape.output,
  outputs: z
    .record(z.string().max(64), z.string().max(8_192))
    .optional()
    .describe('What it wrote to `$ELDERS_OUTPUT`.'),
  tests: testSummary.optional(),
  git: gitResult.optional(),
  usage: attemptUsage.optional(),
  artifacts: artifactList.optional(),
  added: z.array(taskSpec).max(500).optional().describe('Tasks that it wrote to `$ELDERS_TASKS`.'),
});

/** Attempts at tasks: between the task sage and the servants, and what comes of a graph. */
export const servantActions = {
  'sage.task.assign': {
    type: 'command',
    summary: 'Execute this attempt under this lease.',
    payload: z.object({
      directiveId,
      workspace: z.string(),
      task: taskSpec,
      attempt: z.int().min(1),
      lease: leaseId,
      leaseMs: z.int().min(1),
      expiresAt: z.number().describe('When the lease ends unless it is renewed, ms since the epoch.'),
      bases: z
        .array(z.string().regex(/^[0-9a-f]{40,64}$/))
        .optional()
        .describe('Commits of the tasks that it needs, for a worktree to begin from.'),
    }),
    performs: 'task.execute',
  },
  'sage.task.revoke': {
    type: 'command',
    summary: 'End the attempt under this lease and report it.',
    payload: z.object({
      directiveId,
      taskId: z.string(),
      attempt: z.int().min(1),
      lease: leaseId,
      reason: z.string(),
    }),
    performs: 'task.execute',
  },
  'sage.task.recall': {
    type: 'command',
    summary: 'Give the attempt under this lease back, unless it has begun.',
    payload: z.object({ lease: leaseId }),
    performs: 'task.execute',
  },
  'sage.task.servants': {
    type: 'command',
    summary: 'Give tasks to these servants and to no others; what a servant has already, it finishes.',
    payload: z.object({
      revision: z.int().min(1).describe('By which the manager sees that this is in force.'),
      members: z.array(z.string().max(64)).max(1_000),
      watch: z.boolean().describe('Whether to note how many tasks wait, and since when.'),
    }),
    lane: 'control',
  },
  'report.to_sage.available': {
    type: 'report',
    summary: 'A servant has started; what its predecessor left unfinished is over and is reported apart.',
    payload: z.object({ incarnation: z.int() }),
  },
  'report.to_sage.draining': {
    type: 'report',
    summary: 'This servant finishes what it has and takes nothing new until it is available again.',
    payload: z.object({ incarnation: z.int() }),
  },
  'report.to_sage.attempt_started': {
    type: 'report',
    summary: 'The command of an attempt runs.',
    payload: z.object({
      directiveId,
      taskId: z.string(),
      lease: leaseId,
      attempt: z.int(),
      startedAt: z.number(),
    }),
  },
  'report.to_sage.lease_renewed': {
    type: 'report',
    summary: 'The attempt under this lease still runs.',
    payload: z.object({ lease: leaseId }),
  },
  'report.to_sage.attempt_progress': {
    type: 'report',
    summary: 'How far the command of an attempt says that it is.',
    payload: z.object({ lease: leaseId, progress: attemptProgress }),
  },
  'report.to_sage.attempt_finished': {
    type: 'report',
    summary: 'An attempt has ended, and its whole process tree with it.',
    payload: attemptResult,
  },
  'report.to_sage.attempt_returned': {
    type: 'report',
    summary: 'This attempt has not begun and will not begin here: another servant may have it.',
    payload: z.object({ lease: leaseId }),
  },
  'report.to_elder.graph_started': {
    type: 'report',
    summary: 'The first task of a directive runs.',
    payload: z.object({ directiveId }),
  },
  'report.to_elder.graph_reopened': {
    type: 'report',
    summary: 'A directive that had ended is worked on again, because somebody retries tasks of it.',
    payload: z.object({ directiveId }),
  },
  'report.to_elder.graph_finished': {
    type: 'report',
    summary: 'Every task of a directive has its outcome.',
    payload: z.object({
      directiveId,
      outcome: directiveOutcome,
      summary: z.record(z.string(), z.int()),
      failures: z.array(
        z.object({ taskId: z.string(), reason: z.string(), exitCode: z.int().nullable(), tail: z.string() }),
      ),
      retried: z.array(z.object({ taskId: z.string(), attempts: z.array(attemptRecord) })),
      durationMs: z.number(),
    }),
  },
} as const satisfies Record<string, ActionSpec>;
