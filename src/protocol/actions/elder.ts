import { z } from 'zod';
import type { ActionSpec } from './action-spec.ts';

/** Names one dead letter: who keeps it, and its message. */
const deadLetterOrder = z.object({
  elder: z.string().max(64),
  messageId: z.string().min(1).max(256).describe('Its message; of an unreadable one, `edge@entry`.'),
  by: z.string().max(64).optional().describe('Whom the grand elder had the order from.'),
});

/** Every elder answers these. */
export const elderActions = {
  'elder.ping': {
    type: 'query',
    summary: 'Answers who this is: proves the way there and back through the streams.',
    payload: z.object({}),
    reply: z.object({ name: z.string(), incarnation: z.int(), commitNumber: z.int(), pid: z.int() }),
  },
  'elder.dead_letter.replay': {
    type: 'command',
    lane: 'control',
    summary: 'Handle this dead letter once more; if that fails it is a dead letter again.',
    payload: deadLetterOrder,
    reply: z.object({ elder: z.string(), messageId: z.string() }),
  },
  'elder.dead_letter.discard': {
    type: 'command',
    lane: 'control',
    summary: 'Throw this dead letter away.',
    payload: deadLetterOrder,
    reply: z.object({ elder: z.string(), messageId: z.string() }),
  },
} as const satisfies Record<string, ActionSpec>;
