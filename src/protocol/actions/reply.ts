import { z } from 'zod';
import { json } from '../json.ts';
import type { ActionSpec } from './action-spec.ts';

/** Answers to messages. */
export const replyActions = {
  'reply.result': {
    type: 'report',
    summary: 'The answer to the message named by `causation_id`.',
    payload: z.object({ result: json }),
  },
  'reply.error': {
    type: 'report',
    summary: 'Why the message named by `causation_id` got no answer.',
    payload: z.object({ code: z.string(), reason: z.string(), detail: json.optional() }),
  },
  'reply.acknowledge': {
    type: 'acknowledge',
    summary: 'What became of a message that asked for it: acted on, or dead.',
    payload: z.object({
      original_message_id: z.string(),
      status: z.enum(['acted', 'dead']),
      reason: z.string().nullable(),
    }),
  },
} as const satisfies Record<string, ActionSpec>;
