import { ElderError } from '../protocol/errors.ts';
import { type EdgeKey, splitEdgeKey } from '../protocol/keys.ts';
import { type ElderMessage, elderMessage, maxMessageBytes } from '../protocol/message.ts';
import { safeCheck } from '../protocol/safe-check.ts';
import type { Encoded } from './broker.ts';
import { plainMessage, plainOwnPart } from './plain-message.ts';

/** Objects and arrays inside one another that a message may have, itself included. */
export const maxMessageDepth = 64;

/** What became of decoding: the message, or why there is none and its id as far as it can be told. */
export type Decoded =
  | { readonly ok: true; readonly message: ElderMessage }
  | { readonly ok: false; readonly error: ElderError; readonly messageId: string | null };

/** Encodes a message for the wire. Throws `too_large` above `maxMessageBytes`. */
export function encodeMessage(message: ElderMessage): string {
  const body = JSON.stringify(message);
  // A UTF-16 unit becomes at most three bytes, so most messages need no counting.
  if (body.length * 3 > maxMessageBytes) {
    const bytes = Buffer.byteLength(body);
    if (bytes > maxMessageBytes) {
      throw new ElderError('too_large', `the message has ${bytes} bytes, the most is ${maxMessageBytes}`);
    }
  }
  return body;
}

/** Longest message whose length in UTF-16 units tells that it is not too large: none becomes more than three bytes. */
const surelyFits = Math.floor(maxMessageBytes / 3);

/** What messages may have in common. */
type Shared = Omit<ElderMessage, 'message_id' | 'correlation_id' | 'causation_id' | 'payload'>;

let lastHead: { readonly of: Shared | null; readonly text: string } = { of: null, text: '' };

function sharesHead(a: Shared, b: Shared): boolean {
  return (
    a.timestamp === b.timestamp &&
    a.action === b.action &&
    a.target_elder === b.target_elder &&
    a.source_elder === b.source_elder &&
    a.message_type === b.message_type &&
    a.priority === b.priority &&
    a.requires_ack === b.requires_ack &&
    a.hops === b.hops &&
    a.expires_at === b.expires_at &&
    a.traceparent === b.traceparent &&
    a.v === b.v &&
    a.on_behalf_of === b.on_behalf_of
  );
}

function headOf(message: ElderMessage): string {
  if (lastHead.of && sharesHead(lastHead.of, message)) return lastHead.text;
  const { message_id: _, payload: __, correlation_id: ___, causation_id: ____, ...shared } = message;
  lastHead = { of: shared, text: JSON.stringify(shared) };
  return lastHead.text;
}

/**
 * Encodes a message so that others of the same kind can share a part of it. In this form one without
 * `correlation_id` begins a story of its own. Throws `too_large` above `maxMessageBytes`.
 */
export function encodeParts(message: ElderMessage): Encoded {
  const { message_id, correlation_id, causation_id, payload } = message;
  if (correlation_id === undefined) return { body: encodeMessage(message) };
  const head = headOf(message);
  // What is undefined is left out.
  const correlation = correlation_id === message_id ? undefined : correlation_id;
  const body = JSON.stringify({ message_id, correlation_id: correlation, causation_id, payload });
  // As a whole it has some more characters than its parts.
  if (head.length + body.length + correlation_id.length + 64 > surelyFits) encodeMessage(message);
  return { head, body };
}

/** Gives the text of a message as a whole. */
export function messageText({ head, body }: Encoded): string {
  if (head === undefined) return body;
  try {
    return JSON.stringify(joined(JSON.parse(head), JSON.parse(body)));
  } catch {
    return `${head}${body}`;
  }
}

/** Puts a message together. Throws `SyntaxError` where its parts are no objects. */
function joined(head: unknown, own: unknown): unknown {
  if (!isFields(head) || !isFields(own)) throw new SyntaxError('one of the two parts is no object');
  const whole: { [field: string]: unknown } = { ...head, ...own };
  if (whole.correlation_id === undefined && whole.message_id !== undefined) {
    whole.correlation_id = whole.message_id;
  }
  return whole;
}

function isFields(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the last head says, as far as it is of the usual form; those of an entry come one after another. */
let lastRead: { readonly text: string; readonly shared: ElderMessage | null } = { text: '', shared: null };

function sharedOf(head: string): ElderMessage | null {
  if (head !== lastRead.text) {
    let shared: ElderMessage | null = null;
    try {
      const raw: unknown = JSON.parse(head);
      if (isFields(raw)) shared = plainMessage({ message_id: '-', payload: {}, ...raw }, maxMessageDepth);
    } catch {
      // Told with each message that has it.
    }
    lastRead = { text: head, shared };
  }
  return lastRead.shared;
}

/**
 * Decodes and checks a message that was read from an edge by `self`; `head` where it came with one. It never
 * throws: what is not a message is `malformed`, a message that says it comes from or goes to somebody else than the
 * edge does is `denied`.
 */
export function decodeMessage(body: string, edge: EdgeKey, self: string, head?: string): Decoded {
  const length = body.length + (head?.length ?? 0);
  if (length > surelyFits && Buffer.byteLength(body) + Buffer.byteLength(head ?? '') > maxMessageBytes) {
    return refuse('malformed', `larger than ${maxMessageBytes} bytes`, null);
  }
  let raw: unknown;
  try {
    raw = JSON.parse(body);
    if (head !== undefined) {
      const shared = sharedOf(head);
      const plain = shared && plainOwnPart(shared, raw, maxMessageDepth);
      if (plain) return fitting(plain, edge, self);
      raw = joined(JSON.parse(head), raw);
    }
  } catch (cause) {
    return refuse('malformed', `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, null);
  }
  const plain = plainMessage(raw, maxMessageDepth);
  if (plain) return fitting(plain, edge, self);
  const messageId = claimedId(raw);
  // Before the schema, whose recursion a deeply nested value would carry past the end of the stack.
  if (deeperThan(raw, maxMessageDepth)) {
    return refuse('malformed', `nested deeper than ${maxMessageDepth} levels`, messageId);
  }
  const checked = safeCheck(elderMessage, raw);
  if (!checked.ok) return refuse('malformed', checked.reason, messageId);
  return fitting(checked.value, edge, self);
}

/** Checks that a message stands where its names say. */
function fitting(message: ElderMessage, edge: EdgeKey, self: string): Decoded {
  const { source } = splitEdgeKey(edge);
  const { message_id: id, source_elder: from, target_elder: to } = message;
  if (from !== source) return refuse('denied', `it stands in the edge of ${source} but names ${from}`, id);
  if (to !== self) return refuse('denied', `it was sent to ${self} but names ${to}`, id);
  return { ok: true, message };
}

function refuse(code: 'malformed' | 'denied', reason: string, messageId: string | null): Decoded {
  return { ok: false, error: new ElderError(code, reason), messageId };
}

function claimedId(raw: unknown): string | null {
  if (typeof raw !== 'object' || raw === null || !('message_id' in raw)) return null;
  const { message_id: id } = raw;
  return typeof id === 'string' && id.length > 0 && id.length <= 128 ? id : null;
}

function deeperThan(value: unknown, limit: number): boolean {
  let level: object[] = isContainer(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    const next: object[] = [];
    for (const container of level) {
      for (const child of Object.values(container)) if (isContainer(child)) next.push(child);
    }
    level = next;
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
