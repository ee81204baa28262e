import type { Action, PayloadInput } from '../protocol/actions.ts';
import type { Answer, Context, Json, Received } from './core.ts';

interface Asker {
  readonly source: string;
  readonly messageId: string;
  readonly correlationId: string;
}

/** How long the next in the chain may take (ms); its asker's own deadline is usually shorter. */
const relayMs = 60_000;

/**
 * Hands a command on to who carries it out; its answer goes back to the asker. The core names
 * `relayAnswer` among its continuations, and its handler returns nothing.
 */
export function relay<A extends Action>(
  ctx: Context,
  { message, source }: Pick<Received<Action>, 'message' | 'source'>,
  target: string,
  action: A,
  payload: PayloadInput<A>,
): void {
  const { message_id: messageId, correlation_id: correlationId = messageId, priority } = message;
  const data = { source, messageId, correlationId };
  ctx.ask(target, action, payload, {
    deadlineMs: relayMs,
    then: 'relayAnswer',
    data,
    priority,
    correlationId,
  });
}

/** Hands the answer to a relayed command back. */
export function relayAnswer(ctx: Context, answer: Answer, data: Json): void {
  const { source, messageId: causationId, correlationId } = data as unknown as Asker;
  const options = { causationId, correlationId };
  if (answer.ok) ctx.send(source, 'reply.result', { result: answer.result as Json as never }, options);
  else ctx.send(source, 'reply.error', answer.error as never, options);
}
