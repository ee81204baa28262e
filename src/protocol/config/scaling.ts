import { z } from 'zod';
import { label } from '../directive.ts';
import { maxServants } from '../roster.ts';
import { duration } from './values.ts';

/** How many servants there may be, and what decides. */
export const scaling = z
  .strictObject({
    auto: z
      .boolean()
      .default(false)
      .describe('Whether servants come and go with the tasks that wait, between `min` and `max`.'),
    min: z.int().min(1).max(maxServants).default(1).describe('The fewest that the automatic leaves.'),
    max: z
      .int()
      .min(1)
      .max(maxServants)
      .optional()
      .describe('The most servants that there can be, by whatever; 16, or `servants` if that is more.'),
    backlog: z
      .int()
      .min(1)
      .default(4)
      .describe('More ready tasks than this for each servant, and the automatic adds servants.'),
    wait: duration('10s').describe('A ready task has waited this long, and the automatic adds a servant.'),
    growCoolDown: duration('5s').describe('How long after it has added servants the automatic adds no more.'),
    shrinkCoolDown: duration('2m').describe(
      'How long servants must have been idle, with no task waiting, before the automatic takes them away.',
    ),
    groups: z
      .record(
        label,
        z
          .strictObject({
            min: z.int().min(0).max(maxServants).default(0),
            max: z.int().min(1).max(maxServants),
          })
          .refine(({ min, max }) => min <= max, { path: ['min'], error: '`min` is above `max`' }),
      )
      .default({})
      .describe(
        'Servants besides, by the label (or kind) of the tasks that they take: `gpu: {min: 0, max: 2}`. No other servant takes those.',
      ),
  })
  .prefault({})
  .describe('How many servants there may be, and what decides.');
