import { ElderError } from '../protocol/errors.ts';
import { type EdgeKey, splitEdgeKey, type TreeKeys } from '../protocol/keys.ts';
import { type DeadLetterView, deadLetter } from '../protocol/local-api.ts';
import { elderMessage } from '../protocol/message.ts';
import type { RedisCommands } from './redis/redis-commands.ts';
import { decodeHash, replyArray, replyString } from './redis/replies.ts';

/** Prefix of the state fields in which an elder keeps its dead letters. */
export const deadLetterPrefix = '@dead/';

/** Prefix of those that are about to be handled once more. */
export const replayPrefix = '@replays/';

interface Place {
  /** Names of all who keep dead letters. */
  readonly elders: readonly string[];
  readonly signal?: AbortSignal;
}

/** Lists the dead letters of these elders, the newest first. Throws as the connection does, and when the signal aborts. */
export async function readDeadLetters(
  redis: RedisCommands,
  keys: TreeKeys,
  { elders, signal }: Place,
): Promise<DeadLetterView[]> {
  const views: DeadLetterView[] = [];
  for (const elder of elders) {
    let cursor = '0';
    // A scan may give a field twice.
    const fields = new Map<string, string>();
    do {
      signal?.throwIfAborted();
      const scan = ['HSCAN', keys.state(elder), cursor, 'MATCH', `${deadLetterPrefix}*`, 'COUNT', '1000'];
      const [next, found] = replyArray(await redis.command(scan), 'a scan');
      for (const [field, text] of decodeHash(found)) fields.set(field, text);
      cursor = replyString(next, 'a cursor');
    } while (cursor !== '0');
    for (const [field, text] of fields) views.push(toView(elder, field.slice(deadLetterPrefix.length), text));
  }
  return views.sort((a, b) => b.at - a.at);
}

/** Finds one dead letter, also while it waits to be handled once more. Throws `not_found` where no elder keeps it, else as `readDeadLetters`. */
export async function readDeadLetter(
  redis: RedisCommands,
  keys: TreeKeys,
  id: string,
  { elders, signal }: Place,
): Promise<DeadLetterView> {
  for (const elder of elders) {
    signal?.throwIfAborted();
    // Both at once, for a letter goes from one to the other and back.
    const fields = [`${deadLetterPrefix}${id}`, `${replayPrefix}${id}`];
    const found = replyArray(await redis.command(['HMGET', keys.state(elder), ...fields]), 'fields');
    const text = found.find((value) => typeof value === 'string');
    if (text !== undefined) return toView(elder, id, text);
  }
  throw new ElderError('not_found', `no elder keeps a dead letter ${id}`);
}

function toView(elder: string, id: string, text: string): DeadLetterView {
  const { edge, body, tries, errors, at, replays } = deadLetter.parse(JSON.parse(text));
  const { source, lane } = splitEdgeKey(edge as EdgeKey);
  const message = decode(body);
  return {
    id,
    elder,
    source,
    lane,
    action: message?.action ?? null,
    correlationId: message?.correlation_id ?? null,
    at,
    tries,
    replays,
    errors,
    body,
  };
}

function decode(body: string) {
  try {
    return elderMessage.safeParse(JSON.parse(body)).data;
  } catch {
    // Being no message is what made it a dead letter.
    return undefined;
  }
}
