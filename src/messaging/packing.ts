import type { Lane } from '../protocol/lanes.ts';
import type { Outgoing } from './broker.ts';

/** The most messages that stand in one entry of an edge. */
export const packLimit = 64;
/** Characters of messages above which no other joins them in an entry. */
const packLength = 32_768;
const separator = '\n';

/** Messages of one commit that go into one entry of an edge, in their order. */
export interface Pack {
  readonly target: string;
  readonly lane: Lane;
  readonly bodies: string[];
}

/** One message of an entry, with its place there. */
export interface Unpacked {
  /** That of the entry for its last message; `<entry>.<n>` for the n-th before it, counted from 1. */
  readonly id: string;
  readonly sequence: number;
  readonly body: string;
}

/** Joins messages that one commit sends into the same edge; the order within an edge stays. */
export function pack(messages: readonly Outgoing[]): Pack[] {
  const packs: Pack[] = [];
  const open = new Map<string, { pack: Pack; length: number }>();
  for (const { target, lane, body } of messages) {
    const edge = `${target}:${lane}`;
    const last = open.get(edge);
    const joins =
      last !== undefined && last.pack.bodies.length < packLimit && last.length + body.length < packLength;
    // JSON as it is encoded has no line breaks; whatever else stands in an edge stands there alone.
    const single = body.length >= packLength || body.includes(separator);
    if (joins && !single) {
      last.pack.bodies.push(body);
      last.length += body.length;
      continue;
    }
    const pack: Pack = { target, lane, bodies: [body] };
    packs.push(pack);
    if (single) open.delete(edge);
    else open.set(edge, { pack, length: body.length });
  }
  return packs;
}

/** Writes the messages of an entry as one text. */
export function packed({ bodies }: Pack): string {
  return bodies.length === 1 ? (bodies[0] as string) : bodies.join(separator);
}

/** Names the message at a place (from 0) among so many of one entry. */
export function messageId(entry: string, index: number, count: number): string {
  return index === count - 1 ? entry : `${entry}.${index + 1}`;
}

/**
 * Takes the messages out of an entry: `q` is the number of the first, `n` how many there are (absent: one), `m`
 * their text. An entry in which these do not fit together is one message without a number.
 */
export function unpack(id: string, fields: ReadonlyMap<string, string>): Unpacked[] {
  const first = Number(fields.get('q') ?? Number.NaN);
  const text = fields.get('m') ?? '';
  const declared = fields.get('n');
  if (declared === undefined) return [{ id, sequence: first, body: text }];
  const bodies = text.split(separator);
  const count = bodies.length;
  if (String(count) !== declared || !(first > 0)) return [{ id, sequence: Number.NaN, body: text }];
  return bodies.map((body, index) => ({ id: messageId(id, index, count), sequence: first + index, body }));
}
