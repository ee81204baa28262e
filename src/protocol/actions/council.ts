import { z } from 'zod';
import type { ActionSpec } from './action-spec.ts';

/** Proposals to the council. */
export const councilActions = {
  'council.propose': {
    type: 'command',
    summary: 'Put a question to the vote.',
    payload: z.object({ title: z.string(), body: z.string() }),
    builtLater: true,
  },
} as const satisfies Record<string, ActionSpec>;
