import { edgeLanes, sourcesOf } from '../protocol/edges.ts';
import { ElderError } from '../protocol/errors.ts';
import { type EdgeKey, edgeKey, type TreeKeys } from '../protocol/keys.ts';
import type { Lane } from '../protocol/lanes.ts';
import {
  type AttemptRow,
  attemptRow,
  deadLetter,
  type Failure,
  type JournalLine,
  type ShownMessage,
  type TracedMessage,
} from '../protocol/local-api.ts';
import { type ElderMessage, elderMessage } from '../protocol/message.ts';
import { causalOrder } from './causal-order.ts';
import { messageText } from './codec.ts';
import { deadLetterPrefix } from './dead-letters.ts';
import { readJournalText, speaksOf } from './journal.ts';
import { unpack } from './packing.ts';
import { readStream } from './redis/read-stream.ts';
import type { RedisCommands } from './redis/redis-commands.ts';
import { decodeHash, decodePosition, replyArray } from './redis/replies.ts';
import { compareStreamIds, streamIdTime } from './stream-id.ts';

interface Found {
  readonly target: string;
  readonly lane: Lane;
  readonly edge: EdgeKey;
  /** Id of the message among those of its edge. */
  readonly entry: string;
  readonly sequence: number;
  readonly message: ElderMessage;
}

/** How a reader dealt with one entry, as its journal tells. */
interface Handling {
  readonly line: JournalLine;
  readonly actedAt: number;
  readonly incarnation: number;
}

interface TraceOptions {
  /** Names of all elders of the tree. */
  readonly elders: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Finds the messages of one story that the edges still hold, and how far each came; a cause stands before its
 * effects. It reads every edge, so its cost is that of all that `messages.retain` keeps. Throws as the
 * connection does, and when the signal aborts.
 */
export async function readTrace(
  redis: RedisCommands,
  keys: TreeKeys,
  correlationId: string,
  options: TraceOptions,
): Promise<TracedMessage[]> {
  const found = await search(redis, keys, correlationId, options, (message) => {
    return message.correlation_id === correlationId;
  });
  return causalOrder(await describe(redis, keys, found, options));
}

/**
 * Finds one message with its payload and the errors of its tries. Throws `not_found` when no edge holds it any
 * more, else as `readTrace`.
 */
export async function readMessage(
  redis: RedisCommands,
  keys: TreeKeys,
  messageId: string,
  options: TraceOptions,
): Promise<ShownMessage> {
  const found = await search(redis, keys, messageId, options, (message) => message.message_id === messageId);
  const [traced] = await describe(redis, keys, found.slice(0, 1), options);
  if (!traced || !found[0]) throw new ElderError('not_found', `no edge holds message ${messageId}`);
  const errors = await readErrors(redis, keys, found[0]);
  const { payload, on_behalf_of: onBehalfOf = [] } = found[0].message;
  return { ...traced, onBehalfOf, payload, errors };
}

async function search(
  redis: RedisCommands,
  keys: TreeKeys,
  text: string,
  { elders, signal }: TraceOptions,
  matches: (message: ElderMessage) => boolean,
): Promise<Found[]> {
  const roster = elders.map((name) => ({ name }));
  // As it stands in JSON: decoding is what costs, and nearly all entries are of other stories.
  const needle = JSON.stringify(text);
  const found: Found[] = [];
  for (const target of ['gateway', ...elders]) {
    for (const source of sourcesOf(target, roster)) {
      for (const lane of edgeLanes(source, target)) {
        for await (const { id, fields } of readStream(redis, keys.edge(target, source, lane), signal)) {
          if (!fields.get('m')?.includes(needle)) continue;
          for (const { id: entry, sequence, ...encoded } of unpack(id, fields)) {
            const { body, head } = encoded;
            const isMeant = body.includes(needle) || head?.includes(needle) === true;
            const message = isMeant ? decode(messageText(encoded)) : null;
            if (!message || !matches(message)) continue;
            found.push({ target, lane, edge: edgeKey(source, lane), entry, sequence, message });
          }
        }
      }
    }
  }
  return found;
}

function decode(body: string): ElderMessage | null {
  try {
    return elderMessage.parse(JSON.parse(body));
  } catch {
    // Its reader refuses it too, and its journal names it by its place.
    return null;
  }
}

async function describe(
  redis: RedisCommands,
  keys: TreeKeys,
  found: readonly Found[],
  { signal }: TraceOptions,
): Promise<TracedMessage[]> {
  const traced: TracedMessage[] = [];
  for (const [target, own] of Map.groupBy(found, (each) => each.target)) {
    const positions = decodeHash(await redis.command(['HGETALL', keys.positions(target)]));
    const handlings = await readJournal(redis, keys.journal(target), signal);
    const tried = await readAttempts(redis, keys, target, new Set(own.map(({ edge }) => edge)));
    for (const each of own) {
      const position = positions.get(each.edge);
      const passed = position !== undefined && compareStreamIds(each.entry, decodePosition(position).id) <= 0;
      const place = { id: each.entry, sequence: each.sequence };
      // One that was handled once more stands there twice.
      const handling = handlings.get(each.edge)?.findLast(({ line }) => speaksOf(line, place));
      const attempt = tried.get(each.edge);
      traced.push(toTraced(each, handling, passed, attempt?.entryId === each.entry ? attempt : undefined));
    }
  }
  return traced;
}

/** By edge, oldest first. */
async function readJournal(
  redis: RedisCommands,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Map<string, Handling[]>> {
  const handlings = new Map<string, Handling[]>();
  for await (const { id, fields } of readStream(redis, key, signal)) {
    const incarnation = Number(fields.get('i'));
    for (const line of journalLines(fields.get('j') ?? '')) {
      const ofEdge = handlings.get(line.e) ?? [];
      ofEdge.push({ line, actedAt: streamIdTime(id), incarnation });
      handlings.set(line.e, ofEdge);
    }
  }
  return handlings;
}

function journalLines(text: string): JournalLine[] {
  try {
    return readJournalText(text);
  } catch {
    // An elder writes its own journal; what it spoils is its own story only.
    return [];
  }
}

/** Reads what stands at the head of edges and has been tried in vain so far. */
async function readAttempts(
  redis: RedisCommands,
  keys: TreeKeys,
  target: string,
  edges: ReadonlySet<EdgeKey>,
): Promise<Map<EdgeKey, AttemptRow>> {
  const fields = [...edges].map((edge) => `@attempts/${edge}`);
  const reply = await redis.command(['HMGET', keys.state(target), ...fields]);
  const rows = new Map<EdgeKey, AttemptRow>();
  for (const [index, text] of replyArray(reply, 'fields').entries()) {
    if (typeof text === 'string') rows.set([...edges][index]!, attemptRow.parse(JSON.parse(text)));
  }
  return rows;
}

async function readErrors(redis: RedisCommands, keys: TreeKeys, found: Found): Promise<Failure[]> {
  const { target, edge, entry, message } = found;
  const tried = (await readAttempts(redis, keys, target, new Set([edge]))).get(edge);
  if (tried?.entryId === entry) return tried.errors;
  const field = `${deadLetterPrefix}${message.message_id}`;
  const letter = await redis.command(['HGET', keys.state(target), field]);
  return typeof letter === 'string' ? deadLetter.parse(JSON.parse(letter)).errors : [];
}

/** `passed`: the reader is beyond the entry, which stays known when the journal no longer reaches back to it. */
function toTraced(
  found: Found,
  handling: Handling | undefined,
  passed: boolean,
  attempt: AttemptRow | undefined,
): TracedMessage {
  const { message, lane, target, entry } = found;
  const { line } = handling ?? {};
  const done = line?.x ? 'dead' : line || passed ? 'acted' : null;
  const last = attempt?.errors.at(-1);
  return {
    id: message.message_id,
    source: message.source_elder,
    target,
    type: message.message_type,
    action: message.action ?? null,
    lane,
    priority: message.priority,
    correlationId: message.correlation_id ?? null,
    causationId: message.causation_id ?? null,
    state: done ?? (attempt ? 'delivered' : 'queued'),
    sentAt: streamIdTime(entry),
    deliveredAt: line?.d ?? null,
    actedAt: handling?.actedAt ?? null,
    attempts: line?.t ?? attempt?.tries ?? 0,
    incarnation: handling?.incarnation ?? null,
    error: line?.x ?? (last ? { code: last.code, reason: last.reason } : null),
    late: line?.l === true,
  };
}
