import { z } from 'zod';
import { fixedElders } from '../roster.ts';
import { duration, optionalDuration, optionalSize, size } from './values.ts';

/** How one elder is kept alive, where it differs from the others. */
const childSpec = z.strictObject({
  restart: z
    .enum(['permanent', 'transient', 'temporary'])
    .optional()
    .describe(
      '`permanent`: always started again; `transient`: unless it ended by itself in order; `temporary`: never.',
    ),
  shutdown: optionalDuration.describe('As `supervision.shutdown`.'),
  memoryLimit: optionalSize.describe('As `supervision.memoryLimit`.'),
  order: z
    .int()
    .min(0)
    .optional()
    .describe('It starts when those of its branch with a lower order are ready; 0 without it.'),
});

/** The elders that have a child specification of their own; all servants share one. */
const supervised = [...fixedElders.map(({ name }) => name), 'servants'] as const;

/** How the elders below one parent are kept alive together. */
function branch(escalation: 'restart' | 'hold', whom: string) {
  return z
    .strictObject({
      strategy: z
        .enum(['one_for_one', 'rest_for_one'])
        .default('one_for_one')
        .describe(`What a crash restarts among ${whom}: only its process, or also those started after it.`),
      escalation: z
        .enum(['restart', 'hold'])
        .default(escalation)
        .describe(
          'What follows when one of them is given up: the whole branch is restarted, or the others go on without it.',
        ),
      intensity: z
        .int()
        .min(1)
        .default(1)
        .describe('Restarts of the branch within `period`; the next one goes to the branch above.'),
      period: duration('1h').describe('Window of `intensity`.'),
    })
    .prefault({});
}

/** How processes are kept alive. */
export const supervision = z
  .strictObject({
    intensity: z
      .int()
      .min(1)
      .default(10)
      .describe('Crashes of one process within `period` before it is given up as failed.'),
    period: duration('1m').describe('Window of `intensity`.'),
    backoffFirst: duration('50ms').describe(
      'Wait before the second restart in a row; the first is immediate. Doubles each time.',
    ),
    backoffMax: duration('15s').describe('Longest wait before a restart.'),
    stableAfter: duration('20s').describe('Uptime after which the backoff starts anew.'),
    startTimeout: duration('30s').describe('How long a process may take to become ready.'),
    shutdown: duration('10s').describe('How long a process may take to drain before it is killed.'),
    probeInterval: duration('2s').describe('Time between two health probes of a process.'),
    livenessDeadline: duration('15s').describe(
      'A process whose event loop has not answered for this long is killed and replaced.',
    ),
    memoryLimit: size('1GB').describe(
      'Memory of a process beyond which it is drained and replaced; this counts as a crash.',
    ),
    orphanTimeout: duration('30m').describe(
      'Elders that no manager has looked at for this long drain and end by themselves.',
    ),
    redisDeadline: duration('30s').describe(
      'A managed Redis that has not answered for this long is killed and started again; its file brings everything back.',
    ),
    elders: z
      .partialRecord(z.enum(supervised), childSpec)
      .default({})
      .describe(
        'By name of an elder, or `servants` for all of them: `restart`, `shutdown`, `memoryLimit`, `order` of its own.',
      ),
    branches: z
      .strictObject({
        root: branch('restart', 'the grand elder and all below it'),
        grand_elder: branch('restart', 'the claude elder, the council and all below them'),
        claude_elder: branch('restart', 'the sages'),
        servants: branch('hold', 'the servants'),
      })
      .prefault({}),
  })
  .prefault({});
