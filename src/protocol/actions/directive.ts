import { z } from 'zod';
import { directiveOutcome, directiveRecord, directiveSpec } from '../directive.ts';
import type { ActionSpec } from './action-spec.ts';
import { directiveId } from './ids.ts';

/** Directives: from the human to the grand elder, and on to the claude elder. */
export const directiveActions = {
  'development.directive.submit': {
    type: 'command',
    summary: 'The human wants this done.',
    payload: z.object({ directiveId, directive: directiveSpec }),
    reply: directiveRecord,
  },
  'development.directive.cancel': {
    type: 'command',
    summary: 'Stop working on a directive; running commands are ended.',
    payload: z.object({ directiveId, reason: z.string().max(500) }),
    reply: directiveRecord,
  },
  'development.directive.show': {
    type: 'query',
    summary: 'The record of one directive.',
    payload: z.object({ directiveId }),
    reply: directiveRecord,
  },
  'development.directive.list': {
    type: 'query',
    summary: 'The records of the newest directives.',
    payload: z.object({ limit: z.int().min(1).max(1000).default(50) }),
    reply: z.object({ directives: z.array(directiveRecord) }),
  },
  'development.directive.execute': {
    type: 'command',
    summary: 'Plan and carry out an accepted directive.',
    payload: z.object({ directiveId, directive: directiveSpec }),
  },
  'report.directive.progress': {
    type: 'report',
    summary:
      'The directive is planned, its first task has started, or tasks of it are tried again after its end.',
    payload: z.object({
      directiveId,
      state: z.enum(['planned', 'executing', 'reopened']),
      lessons: z.array(z.string()).default([]).describe('Titles of what was known before the plan was made.'),
    }),
  },
  'report.directive.finished': {
    type: 'report',
    summary: 'The directive has ended, with the number of tasks per state.',
    payload: z.object({
      directiveId,
      outcome: directiveOutcome,
      reason: z.string().nullable(),
      summary: z.record(z.string(), z.int()),
    }),
  },
} as const satisfies Record<string, ActionSpec>;
