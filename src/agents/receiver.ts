import { decodeMessage } from '../messaging/codec.ts';
import { type Action, actionSpec, isAction } from '../protocol/actions.ts';
import { asElderError, ElderError, type ErrorCode } from '../protocol/errors.ts';
import { splitEdgeKey } from '../protocol/keys.ts';
import type { ElderMessage } from '../protocol/message.ts';
import { mayPerform, maySend, maySendFor } from '../protocol/permissions.ts';
import { safeCheck } from '../protocol/safe-check.ts';
import { acceptReply } from './asks.ts';
import { commonHandlers } from './common-handlers.ts';
import { answersLater, type Context, type Core, type Handler, type Json } from './core.ts';
import type { Delivered } from './inbox.ts';
import type { Step } from './step.ts';

/** What became of one entry: acted on, given up for good, or to be tried again. */
export type Outcome =
  /** `late`: a reply that nobody waited for any more. */
  | { readonly kind: 'acted'; readonly message: ElderMessage; readonly late?: true }
  | { readonly kind: 'dead'; readonly message: ElderMessage | null; readonly error: ElderError }
  | { readonly kind: 'retry'; readonly message: ElderMessage; readonly error: ElderError };

/** Lets the action through only if sender, edge and receiver may: the sender was checked too, but is not believed. */
function authorize(ctx: Context, source: string, message: ElderMessage): Action {
  const { action } = message;
  if (action === undefined || !isAction(action)) {
    throw new ElderError('not_implemented', `${ctx.self} knows no action ${action ?? '(none given)'}`);
  }
  const sending = maySendFor(source, ctx.self, action, message.on_behalf_of);
  if (!sending.allowed) throw new ElderError('denied', sending.rule);
  const performing = mayPerform(ctx.self, action);
  if (!performing.allowed) throw new ElderError('denied', performing.rule);
  return action;
}

/** Gives whether the message was a reply that nobody waits for any more. */
function perform(core: Core, step: Step, ctx: Context, source: string, message: ElderMessage): boolean {
  const action = authorize(ctx, source, message);
  if (message.expires_at !== undefined && Date.parse(message.expires_at) <= ctx.now()) {
    throw new ElderError('expired', `${action} from ${source} expired at ${message.expires_at}`);
  }
  const spec = actionSpec(action);
  const checked = safeCheck(spec.payload, message.payload);
  if (!checked.ok) throw new ElderError('malformed', `${action}: ${checked.reason}`);
  if (action === 'reply.result' || action === 'reply.error') {
    if (acceptReply(core, step, message)) return false;
    const facts = { from: source, messageId: message.message_id, answers: message.causation_id };
    ctx.log.warn(facts, 'late reply');
    return true;
  }
  const handler = (core.handlers[action] ?? commonHandlers[action]) as Handler<Action> | undefined;
  if (!handler) throw new ElderError('not_implemented', `${ctx.self} does not carry out ${action} yet`);
  const result = handler(ctx, { message, source, payload: checked.value as never }) as Json | undefined;
  if ((result as unknown) === answersLater) return false;
  // A command may have been sent without being asked; its handler then returns nothing.
  const answers = spec.reply !== undefined && (spec.type === 'query' || result !== undefined);
  if (answers) ctx.send(source, 'reply.result', { result: result as never }, replyOptions(message));
  return false;
}

/** An answer travels as urgently as its question. */
function replyOptions(message: ElderMessage) {
  return { priority: message.priority };
}

/** Tells a sender that waits for an answer why there is none; a message that nobody waits for becomes a dead letter. */
function answersWithError(message: ElderMessage): boolean {
  if (!isAction(message.action ?? '')) return message.message_type === 'query';
  const spec = actionSpec(message.action as Action);
  return spec.reply !== undefined || spec.type === 'query';
}

function acknowledge(ctx: Context, message: ElderMessage, error: ElderError | null): void {
  if (!message.requires_ack) return;
  const payload = {
    original_message_id: message.message_id,
    status: error ? ('dead' as const) : ('acted' as const),
    reason: error?.message ?? null,
  };
  if (maySend(ctx.self, message.source_elder, 'reply.acknowledge').allowed) {
    ctx.send(message.source_elder, 'reply.acknowledge', payload, replyOptions(message));
  }
}

/** Errors that stop a message before its handler; others are the handler's answer. */
const neverActed: ReadonlySet<ErrorCode> = new Set(['denied', 'malformed', 'expired', 'not_implemented']);

/** Tells whoever waits for it that a message was refused; gives whether an asker got its answer by that. */
function refuse(step: Step, message: ElderMessage, error: ElderError, isAnswer: boolean): boolean {
  const ctx = step.context(message);
  const mark = step.mark();
  try {
    const asker = message.source_elder;
    const answers = answersWithError(message) && maySend(ctx.self, asker, 'reply.error').allowed;
    if (answers) ctx.send(asker, 'reply.error', error.toJSON() as never, replyOptions(message));
    acknowledge(ctx, message, answers && isAnswer ? null : error);
    return answers;
  } catch (nested) {
    step.undo(mark);
    ctx.log.warn({ messageId: message.message_id, error: String(nested) }, 'no error reply could be sent');
    return false;
  }
}

/** Has the audit log tell that a message was refused. */
function noteRefusal(
  step: Step,
  source: string,
  self: string,
  message: ElderMessage | null,
  error: ElderError,
): void {
  const action = message?.action ?? null;
  step.denials.push({
    kind: 'denial',
    event: 'receive',
    subject: source,
    object: self,
    action,
    reason: error.reason,
  });
}

/** Gives an entry up without handling it, and tells its sender so. */
export function giveUp(step: Step, entry: Delivered, self: string, error: ElderError): Outcome {
  const decoded = decodeMessage(entry.body, entry.edge, self, entry.head);
  if (!decoded.ok) return { kind: 'dead', message: null, error };
  refuse(step, decoded.message, error, false);
  return { kind: 'dead', message: decoded.message, error };
}

/** Handles one entry within a step. Whatever a failing handler changed is undone; nothing is thrown. */
export function receive(core: Core, step: Step, entry: Delivered, self: string, lastTry: boolean): Outcome {
  const { source } = splitEdgeKey(entry.edge);
  const decoded = decodeMessage(entry.body, entry.edge, self, entry.head);
  if (!decoded.ok) {
    if (decoded.error.code === 'denied') noteRefusal(step, source, self, null, decoded.error);
    return { kind: 'dead', message: null, error: decoded.error };
  }
  const { message } = decoded;
  const ctx = step.context(message);
  const mark = step.mark();
  try {
    const late = perform(core, step, ctx, source, message);
    acknowledge(ctx, message, null);
    return late ? { kind: 'acted', message, late } : { kind: 'acted', message };
  } catch (thrown) {
    step.undo(mark);
    const error = asElderError(thrown);
    const expected = thrown instanceof ElderError;
    // One that was refused while sending is noted there.
    const isNew = step.denials.length === mark.denials;
    // A decision that was not taken is an old or a changed approval that somebody tried.
    const decides = message.action === 'approval.decide';
    const refused = decides || error.code === 'denied' || error.code === 'expired';
    if (refused && isNew) noteRefusal(step, source, self, message, error);
    const mayPass = expected ? error.canRetry && error.code !== 'expired' : true;
    if (mayPass && !lastTry) return { kind: 'retry', message, error };
    const isAnswer = expected && !neverActed.has(error.code);
    const answered = refuse(step, message, error, isAnswer);
    return answered && isAnswer ? { kind: 'acted', message } : { kind: 'dead', message, error };
  }
}
