import type { Context, Core, Effect } from '../src/agents/core.ts';
import type { ElderMessage } from '../src/protocol/message.ts';
import { type Intent, parseIntent, recordEffect } from './intent.ts';

/** What the consumer has done for one message; told outside once the commit that did it has landed. */
export interface Done extends Effect {
  readonly kind: 'done';
  readonly source: string;
  readonly intent: Intent;
  /** When the message was made, ms since the epoch. */
  readonly madeAt: number;
}

function act(
  ctx: Context,
  { source, message, text }: { source: string; message: ElderMessage; text: string },
) {
  const intent = parseIntent(text);
  recordEffect(ctx, `${source}:${intent.lane}`, intent);
  const done: Done = { kind: 'done', source, intent, madeAt: Date.parse(message.timestamp) };
  ctx.effect(done);
}

/** Writes every message it handles into its history and judges nothing: that is the checker's work. */
export function consumerCore(): Core {
  return {
    handlers: {
      'report.to_sage.lease_renewed': (ctx, { source, message, payload }) =>
        act(ctx, { source, message, text: payload.lease }),
      'sage.knowledge.store': (ctx, { source, message, payload }) =>
        act(ctx, { source, message, text: payload.key }),
    },
  };
}
