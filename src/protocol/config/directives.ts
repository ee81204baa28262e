import { z } from 'zod';
import { risks } from '../approval.ts';
import { maxTasks } from '../directive.ts';
import { networkHost } from '../network-host.ts';
import { duration } from './values.ts';

/** What the grand elder measures a directive by. */
export const strategy = z
  .strictObject({
    maxTasks: z
      .int()
      .min(1)
      .max(maxTasks)
      .default(maxTasks)
      .describe('Most tasks that the grand elder accepts in one directive.'),
    maxActiveDirectives: z
      .int()
      .min(1)
      .default(50)
      .describe('Most directives under way at a time; more are rejected.'),
    maxRisk: z
      .enum(risks)
      .default('medium')
      .describe('Highest risk of a directive that is carried out without the approval of a human.'),
    manyTasks: z
      .int()
      .min(1)
      .default(500)
      .describe('A directive with more tasks than this has a risk of `medium` at least.'),
    hosts: z
      .array(networkHost)
      .default([])
      .describe(
        'Hosts that tasks may ask for with `hosts`, as `registry.npmjs.org` or `*.example.com`; without a port 80 and 443.',
      ),
    approvalExpiry: duration('24h').describe(
      'How long a directive waits for `elders approve` before it is rejected.',
    ),
  })
  .prefault({})
  .describe('What the grand elder measures a directive by.');

/** How the task sage and the servants treat tasks. */
export const tasks = z
  .strictObject({
    lease: duration('2m').describe('How long a servant may hold a task without renewing its lease.'),
    lostAttempts: z
      .int()
      .min(1)
      .default(10)
      .describe('How often a task may lose its servant before it fails.'),
    retryDelay: duration('1s').describe(
      'Wait before the first retry of a failed task; doubles with each, up to a minute.',
    ),
    keepDirectives: z
      .int()
      .min(0)
      .default(200)
      .describe('Ended directives whose tasks the task sage keeps; of older ones only the sums stay.'),
    keepTasks: z.int().min(0).default(200_000).describe('Tasks of ended directives that it keeps in all.'),
    killGrace: duration('1500ms').describe('Time between SIGTERM and SIGKILL for a command.'),
  })
  .prefault({});
