import { ElderError } from '../protocol/errors.ts';
import { type EdgeKey, splitEdgeKey } from '../protocol/keys.ts';
import { type ElderMessage, elderMessage, maxMessageBytes } from '../protocol/message.ts';
import { safeCheck } from '../protocol/safe-check.ts';
import { plainMessage } from './plain-message.ts';

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

/**
 * Decodes and checks a message that was read from an edge by `self`. It never throws: what is not a message
 * is `malformed`, a message that says it comes from or goes to somebody else than the edge does is `denied`.
 */
export function decodeMessage(body: string, edge: EdgeKey, self: string): Decoded {
  if (body.length * 3 > maxMessageBytes && Buffer.byteLength(body) > maxMessageBytes) {
    return refuse('malformed', `larger than ${maxMessageBytes} bytes`, null);
  }
  let raw: unknown;
  try {
    raw = JSON.parse(body);
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
