import { ElderError } from '../../protocol/errors.ts';
import { type EdgeKey, edgeKey, splitEdgeKey } from '../../protocol/keys.ts';
import type { Lane } from '../../protocol/lanes.ts';
import type { CommitAnswer, Entry, Position, Snapshot } from '../broker.ts';
import { unpack } from '../packing.ts';
import { commitNumberField, isReservedField } from '../reserved-fields.ts';
import { compareStreamIds } from '../stream-id.ts';

/** A stream entry as it came from Redis: its id, and names and values in turn. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, string>;
}

function unexpected(what: string): ElderError {
  return new ElderError('redis_refused', `Redis answered something else than ${what}`);
}

/** Checks that a reply is an array. Throws `redis_refused`. */
export function replyArray(reply: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(reply)) throw unexpected(what);
  return reply;
}

/** Checks that a reply is a string. Throws `redis_refused`. */
export function replyString(reply: unknown, what: string): string {
  if (typeof reply !== 'string') throw unexpected(what);
  return reply;
}

/** Decodes names and values in turn, as `HGETALL` gives them. Throws `redis_refused`. */
export function decodeHash(reply: unknown): Map<string, string> {
  const flat = replyArray(reply, 'a hash');
  const hash = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) {
    hash.set(replyString(flat[at], 'a field'), replyString(flat[at + 1], 'a value'));
  }
  return hash;
}

/** Decodes the entries of one stream, as `XRANGE` gives them. Throws `redis_refused`. */
export function decodeStream(reply: unknown): StreamEntry[] {
  return replyArray(reply, 'a stream').map((item) => {
    const [id, fields] = replyArray(item, 'a stream entry');
    return { id: replyString(id, 'a stream id'), fields: decodeHash(fields) };
  });
}

/** Checks that a text is a whole number from 0. Throws `redis_refused`. */
function count(text: unknown, what: string): number {
  const number = typeof text === 'string' && !/^\d+$/.test(text) ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(number) || number < 0 || Array.isArray(text)) throw unexpected(what);
  return number;
}

/** Decodes a position, `<id> <sequence>`, whatever stands behind it. Throws `redis_refused`. */
export function decodePosition(text: string): Position {
  const match = /^(\d+-\d+(?:\.\d+)?) (\d+)(?: |$)/.exec(text);
  if (!match) throw unexpected(`a position: ${JSON.stringify(text)}`);
  return { id: match[1]!, sequence: count(match[2], 'a position') };
}

/** Decodes the state and the positions of an elder. Throws `redis_refused`. */
export function decodeSnapshot(state: unknown, positions: unknown): Snapshot {
  const all = decodeHash(state);
  const commitNumber = count(all.get(commitNumberField) ?? 0, 'a commit number');
  const fields = new Map([...all].filter(([field]) => !isReservedField(field)));
  const read = new Map<EdgeKey, Position>();
  for (const [edge, text] of decodeHash(positions)) read.set(edge as EdgeKey, decodePosition(text));
  return { commitNumber, fields, positions: read };
}

/** What a read of edges gave, and how many messages stand in an entry there, on an average. */
export interface ReadReply {
  readonly entries: Entry[];
  /** At least 1; `null` when there was none. */
  readonly messagesPerEntry: number | null;
}

const everything = { cursors: new Map<EdgeKey, string>(), count: Infinity };

/** Decodes what `XREAD` of edges gives: at most `count` messages of each, behind its cursor. */
export function decodeEntries(
  reply: unknown,
  inbox: string,
  { cursors, count: most }: { cursors: ReadonlyMap<EdgeKey, string>; count: number } = everything,
): ReadReply {
  const entries: Entry[] = [];
  let packs = 0;
  let messages = 0;
  if (reply === null) return { entries, messagesPerEntry: null };
  for (const stream of replyArray(reply, 'streams')) {
    const [key, items] = replyArray(stream, 'a stream');
    const { source, lane } = splitEdgeKey(replyString(key, 'a key').slice(inbox.length) as EdgeKey);
    const edge = edgeKey(source, lane);
    const cursor = cursors.get(edge) ?? '';
    const end = entries.length + most;
    for (const { id, fields } of decodeStream(items)) {
      packs += 1;
      // Only the entry in which the cursor stands has anything before it.
      const again = cursor.startsWith(`${id}.`);
      for (const message of unpack(id, fields)) {
        messages += 1;
        if (again && compareStreamIds(message.id, cursor) <= 0) continue;
        const { sequence, body, head } = message;
        if (entries.length < end) entries.push({ edge, id: message.id, sequence, body, head });
      }
    }
  }
  return { entries, messagesPerEntry: packs > 0 ? messages / packs : null };
}

/** Decodes what the commit function answers. Throws `redis_refused`. */
export function decodeCommitAnswer(
  reply: unknown,
  edges: readonly { readonly target: string; readonly lane: Lane }[],
): CommitAnswer {
  const [kind, detail] = replyArray(reply, 'an answer to a commit');
  if (kind === 'OK') return { kind: 'ok' };
  if (kind === 'FENCED') return { kind: 'fenced' };
  if (kind === 'STALE') return { kind: 'stale', number: count(detail, 'a commit number') };
  const edge = edges[Number(detail) - 1];
  if (kind === 'FULL' && edge) return { kind: 'full', ...edge };
  throw unexpected('an answer to a commit');
}
