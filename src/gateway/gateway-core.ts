import { createHash } from 'node:crypto';
import type { Answer, Context, Core, Effect, Json } from '../agents/core.ts';
import { actionSpec, isAction } from '../protocol/actions.ts';
import { ElderError, type WireError } from '../protocol/errors.ts';
import type { ParsedAsk } from '../protocol/local-api.ts';
import { aliases, roleOf } from '../protocol/roster.ts';

/** How long the answer to a command is kept for a caller that asks again with the same key (ms). */
const keepAnswersMs = 600_000;

/** A request of the human's, as the socket hands it on. */
export type AskInput = { readonly kind: 'ask' } & ParsedAsk;

/** What a request came to. */
export type AskAnswer = { readonly result: Json } | { readonly error: WireError };

/** Tells the socket that the request with this key has its answer. */
export interface AnsweredEffect extends Effect {
  readonly kind: 'answered';
  readonly key: string;
  readonly answer: AskAnswer;
}

interface Request {
  /** Tells the same request from another one under the same key. */
  readonly fingerprint: string;
  /** Id of the question. */
  readonly askId: string;
  readonly answer: AskAnswer | null;
  readonly isCommand: boolean;
  readonly keepUntil: number;
  /** When those who wait are told that there is no answer yet (ms since the epoch); `null`: nobody waits. */
  readonly tellAt: number | null;
}

const requests = (ctx: Context) => ctx.table<Request>('requests');

function ask(ctx: Context, input: AskInput): Json {
  const { action, payload, idempotencyKey: key, priority, timeoutMs } = input;
  const target = aliases[input.target] ?? input.target;
  if (roleOf(target) === undefined) throw new ElderError('not_found', `no elder is called ${target}`);
  if (!isAction(action)) throw new ElderError('not_found', `no action is called ${action}`);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([target, action, payload]))
    .digest('base64');
  const known = requests(ctx).get(key);
  if (known && known.fingerprint !== fingerprint) {
    throw new ElderError('conflict', `the idempotency key ${key} belongs to another request`);
  }
  const tellAt = ctx.now() + timeoutMs;
  if (known) {
    if (!known.answer) requests(ctx).put(key, { ...known, tellAt: Math.max(known.tellAt ?? 0, tellAt) });
    return { answer: (known.answer ?? null) as Json };
  }
  const isCommand = actionSpec(action).type !== 'query';
  // A look at a directive is no part of its story: a watch would fill its trace with questions.
  const correlationId = isCommand && typeof payload.directiveId === 'string' ? payload.directiveId : key;
  // A command that was acted on in time may be answered later; until then its key must not ask anew.
  const deadlineMs = isCommand ? timeoutMs + keepAnswersMs : timeoutMs;
  const ends = { deadlineMs, expiresInMs: timeoutMs };
  const options = { ...ends, then: 'answered', data: key, priority, correlationId };
  const askId = ctx.ask(target, action, payload as never, options);
  const keepUntil = tellAt + keepAnswersMs;
  requests(ctx).put(key, { askId, fingerprint, answer: null, isCommand, keepUntil, tellAt });
  return { answer: null };
}

const unanswered = (reason: string): AskAnswer => ({ error: { code: 'timed_out', reason } });

/**
 * Hands an answer to the socket. That of a command is kept, so that the same key gets the same answer; a query
 * may be asked anew, and so may a command that failed or was not acted on in time.
 */
function answered(ctx: Context, answer: Answer, data: Json): void {
  const key = String(data);
  const request = requests(ctx).get(key);
  if (!request) return;
  let outcome: AskAnswer = answer.ok ? { result: answer.result as Json } : { error: answer.error };
  if (!answer.ok && answer.error.code === 'expired') outcome = unanswered(answer.error.reason);
  if (answer.ok && request.isCommand && isSmall(answer.result)) {
    const keepUntil = ctx.now() + keepAnswersMs;
    requests(ctx).put(key, { ...request, answer: outcome, keepUntil, tellAt: null });
  } else {
    requests(ctx).delete(key);
  }
  ctx.effect({ kind: 'answered', key, answer: outcome });
}

/** Tells whoever has waited long enough for a command; its question stays open for the same key. */
function tellOverdue(ctx: Context): void {
  for (const [key, request] of [...requests(ctx).entries()]) {
    if (request.tellAt === null || request.tellAt > ctx.now() || !request.isCommand) continue;
    requests(ctx).put(key, { ...request, tellAt: null });
    ctx.effect({
      kind: 'answered',
      key,
      answer: unanswered('no answer in time; ask again with the same key'),
    });
  }
}

/**
 * Withdraws a question whose caller went away. A command is not withdrawn: it may be carried out already, and
 * its caller may come back with the same key for the answer.
 */
function withdraw(ctx: Context, key: string): void {
  const request = requests(ctx).get(key);
  if (!request || request.isCommand) return;
  ctx.cancelAsk(request.askId);
  requests(ctx).delete(key);
}

/** A large answer is worth less than the room it takes: its caller asks again. */
function isSmall(result: unknown): boolean {
  return JSON.stringify(result).length < 16_384;
}

/** The gateway: puts the human's requests on its own edges and hands the answers back, once per idempotency key. */
export function gatewayCore(): Core {
  return {
    handlers: {},
    continuations: { answered },
    onInput: (ctx, input) => {
      if (input.kind === 'ask') return ask(ctx, input as unknown as AskInput);
      if (input.kind === 'withdraw') withdraw(ctx, String(input.key));
    },
    wakeAt: (ctx) => {
      let next: number | undefined;
      for (const [, { keepUntil, tellAt, isCommand }] of requests(ctx).entries()) {
        const at = isCommand && tellAt !== null ? tellAt : keepUntil;
        next = Math.min(next ?? at, at);
      }
      return next;
    },
    onWake: (ctx) => {
      tellOverdue(ctx);
      const over = [...requests(ctx).entries()].filter(([, { keepUntil }]) => keepUntil <= ctx.now());
      for (const [key] of over) requests(ctx).delete(key);
    },
  };
}
