import { actionSpec, isAction } from '../protocol/actions.ts';
import { errorTable, type WireError } from '../protocol/errors.ts';
import type { ElderMessage } from '../protocol/message.ts';
import type { Answer, Context, Core, Json } from './core.ts';
import { Deadlines } from './deadlines.ts';
import type { Mark, Step } from './step.ts';

/** A question that waits for its answer, keyed by the id of its message. */
export interface AskRow {
  readonly target: string;
  readonly action: string;
  readonly then: string;
  readonly data: Json;
  /** Ms since the epoch. */
  readonly deadlineAt: number;
  /** On whose behalf it was asked; what follows from the answer is on theirs too. */
  readonly chain?: readonly string[];
}

function goOn(core: Core, ctx: Context, id: string, ask: AskRow, answer: Answer): void {
  ctx.table('@asks').delete(id);
  const continuation = core.continuations?.[ask.then];
  if (continuation) continuation(ctx, answer, ask.data);
  else ctx.log.warn({ ask: id, then: ask.then }, 'no such continuation: the answer is dropped');
}

function toAnswer(message: ElderMessage, ask: AskRow): Answer {
  const { payload } = message;
  if (message.action === 'reply.error') {
    const code = String(payload.code);
    const known = Object.hasOwn(errorTable, code);
    const error = { code: known ? code : 'internal', reason: String(payload.reason), detail: payload.detail };
    return { ok: false, error: error as WireError };
  }
  const schema = isAction(ask.action) ? actionSpec(ask.action).reply : undefined;
  const checked = schema?.safeParse(payload.result);
  if (checked?.success) return { ok: true, result: checked.data as never };
  const reason = `${ask.target} answered ${ask.action} with something that does not fit its schema`;
  return { ok: false, error: { code: 'malformed', reason } };
}

/** Hands a reply to the question it answers; gives false when nobody waits for it (late, or never asked). */
export function acceptReply(core: Core, step: Step, message: ElderMessage): boolean {
  const id = message.causation_id ?? '';
  const ask = step.context(null).table<AskRow>('@asks').get(id);
  if (!ask || ask.target !== message.source_elder) return false;
  goOn(core, step.context(message, ask.chain ?? []), id, ask, toAnswer(message, ask));
  return true;
}

/** Tells whether a question is open and has this deadline. */
function standsIn(ctx: Context): (id: string, at: number) => boolean {
  const asks = ctx.table<AskRow>('@asks');
  return (id, at) => asks.get(id)?.deadlineAt === at;
}

/** When the next deadline of a question ends (ms since the epoch). */
export function nextDeadline(ctx: Context, deadlines: Deadlines): number | undefined {
  return deadlines.next(standsIn(ctx));
}

/** Notes the deadlines of all open questions, as a new incarnation finds them. */
export function openDeadlines(ctx: Context): Deadlines {
  const deadlines = new Deadlines();
  for (const [id, { deadlineAt }] of ctx.table<AskRow>('@asks').entries()) deadlines.add(id, deadlineAt);
  return deadlines;
}

/**
 * Answers every question whose deadline has passed with `timed_out`. `admit` undoes a
 * continuation whose messages find no room; its question stays overdue.
 */
export function expireAsks(core: Core, step: Step, admit: (mark: Mark) => void): void {
  const ctx = step.context(null);
  const now = ctx.now();
  for (const id of step.deadlines.due(now, standsIn(ctx))) {
    const ask = ctx.table<AskRow>('@asks').get(id);
    if (!ask) continue;
    const error: WireError = {
      code: 'timed_out',
      reason: `${ask.target} did not answer ${ask.action} in time`,
    };
    const mark = step.beginPart();
    try {
      goOn(core, step.context(null, ask.chain ?? []), id, ask, { ok: false, error });
      admit(mark);
    } catch (thrown) {
      // No message stands behind this that could become a dead letter, and every incarnation would fail alike.
      step.undo(mark);
      ctx.table('@asks').delete(id);
      ctx.log.warn({ ask: id, then: ask.then, error: String(thrown) }, 'a timeout could not be dealt with');
    }
  }
}
