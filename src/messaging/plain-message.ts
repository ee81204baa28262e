import {
  type ElderMessage,
  type MessageType,
  maxHops,
  messageTypes,
  wireVersion,
} from '../protocol/message.ts';

const types: ReadonlySet<unknown> = new Set(messageTypes);
const dotted = /^[a-z_]+(\.[a-z_]+)*$/;
/** What `Date` writes, on the days that every month has; other forms are left to the schema. */
const usualTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/**
 * Checks a message of the usual form by hand, which costs a tenth of what the schema does. `null` says nothing
 * about the message but that the schema has to decide; what is given is what the schema gives.
 * @param raw what `JSON.parse` made of the body
 */
export function plainMessage(raw: unknown, maxDepth: number): ElderMessage | null {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return null;
  const given = raw as { readonly [key: string]: unknown };
  const { message_id, source_elder, target_elder, message_type, payload, timestamp } = given;
  const { priority = 5, requires_ack = false, action, correlation_id, causation_id, expires_at } = given;
  const { hops, traceparent, v, on_behalf_of } = given;
  if (!isText(message_id, 128) || !isText(source_elder, 64) || !isText(target_elder, 64)) return null;
  if (!types.has(message_type) || !isTime(timestamp) || typeof requires_ack !== 'boolean') return null;
  if (!isWhole(priority, 1, 10)) return null;
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return null;
  // The message itself is one level.
  if (!isPlain(payload, maxDepth - 1)) return null;
  const message: ElderMessage = {
    message_id,
    source_elder,
    target_elder,
    message_type: message_type as MessageType,
    payload: payload as ElderMessage['payload'],
    priority,
    timestamp,
    requires_ack,
  };
  if (action !== undefined) {
    if (typeof action !== 'string' || action.length > 128 || !dotted.test(action)) return null;
    message.action = action;
  }
  if (correlation_id !== undefined) {
    if (!isText(correlation_id, 128)) return null;
    message.correlation_id = correlation_id;
  }
  if (causation_id !== undefined) {
    if (!isText(causation_id, 128)) return null;
    message.causation_id = causation_id;
  }
  if (on_behalf_of !== undefined) {
    if (!Array.isArray(on_behalf_of) || on_behalf_of.length > maxHops) return null;
    if (!on_behalf_of.every((name) => isText(name, 64))) return null;
    message.on_behalf_of = on_behalf_of;
  }
  if (expires_at !== undefined) {
    if (!isTime(expires_at)) return null;
    message.expires_at = expires_at;
  }
  if (hops !== undefined) {
    if (!isWhole(hops, 0, maxHops)) return null;
    message.hops = hops;
  }
  if (traceparent !== undefined) {
    if (typeof traceparent !== 'string' || traceparent.length > 64) return null;
    message.traceparent = traceparent;
  }
  if (v !== undefined) {
    if (v !== wireVersion) return null;
    message.v = wireVersion;
  }
  // A field that is not known may be nested deeper than is allowed.
  for (const key in given) if (!known.has(key)) return null;
  return message;
}

const ownFields: ReadonlySet<string> = new Set(['message_id', 'payload', 'correlation_id', 'causation_id']);

/**
 * As `plainMessage`, of a message that shares its other fields with its neighbours.
 * @param shared what `plainMessage` gives for these, with any id and payload
 */
export function plainOwnPart(shared: ElderMessage, raw: unknown, maxDepth: number): ElderMessage | null {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return null;
  const given = raw as { readonly [key: string]: unknown };
  const { message_id, payload, correlation_id, causation_id } = given;
  if (!isText(message_id, 128) || typeof payload !== 'object' || payload === null) return null;
  if (Array.isArray(payload) || !isPlain(payload, maxDepth - 1)) return null;
  for (const key in given) if (!ownFields.has(key)) return null;
  const message: ElderMessage = { ...shared, message_id, payload: payload as ElderMessage['payload'] };
  if (correlation_id !== undefined) {
    if (!isText(correlation_id, 128)) return null;
    message.correlation_id = correlation_id;
  } else if (shared.correlation_id === undefined) message.correlation_id = message_id;
  if (causation_id !== undefined) {
    if (!isText(causation_id, 128)) return null;
    message.causation_id = causation_id;
  }
  return message;
}

const known: ReadonlySet<string> = new Set([
  ...['message_id', 'source_elder', 'target_elder', 'message_type', 'payload', 'priority', 'timestamp'],
  ...['requires_ack', 'action', 'correlation_id', 'causation_id', 'expires_at', 'hops', 'traceparent', 'v'],
  'on_behalf_of',
]);

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= most;
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && usualTime.test(value);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

/** JSON within `levels`, without the numbers and keys that the schema treats in ways of its own. */
function isPlain(value: object, levels: number): boolean {
  if (levels <= 0) return false;
  const isArray = Array.isArray(value);
  for (const key in value) {
    if (!isArray && key === '__proto__') return false;
    const part = (value as { readonly [key: string]: unknown })[key];
    if (typeof part === 'number' && !Number.isFinite(part)) return false;
    if (typeof part === 'object' && part !== null && !isPlain(part, levels - 1)) return false;
  }
  return true;
}
