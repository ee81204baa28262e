import type { Lane } from '../protocol/lanes.ts';
import type { Outgoing } from './broker.ts';

/** The most messages that stand in one entry of an edge. */
export const packLimit = 64;
/** Characters of messages above which no other joins them in an entry. */
const packLength = 32_768;
const separator = '\n';
/** Begins a line that is no message but the fields that those behind it have in common. */
const headMark = '^';
/** Says instead of a number of messages that an entry is the text of one, as it is. */
const alone = '0';

/** Messages of one commit that go into one entry of an edge, in their order. */
export interface Pack {
  readonly target: string;
  readonly lane: Lane;
  readonly messages: Outgoing[];
}

/** One message of an entry, with its place there. */
export interface Unpacked {
  /** That of the entry for its last message; `<entry>.<n>` for the n-th before it, counted from 1. */
  readonly id: string;
  readonly sequence: number;
  readonly body: string;
  readonly head: string | undefined;
}

/** Joins messages that one commit sends into the same edge; the order within an edge stays. */
export function pack(messages: readonly Outgoing[]): Pack[] {
  const packs: Pack[] = [];
  const open = new Map<string, { pack: Pack; length: number }>();
  let last: { pack: Pack; length: number } | undefined;
  for (const message of messages) {
    const { target, lane, body } = message;
    if (last?.pack.target !== target || last.pack.lane !== lane) last = open.get(`${target}:${lane}`);
    const single = !fitsALine(message);
    if (last !== undefined && !single && last.pack.messages.length < packLimit) {
      if (last.length + body.length < packLength) {
        last.pack.messages.push(message);
        last.length += body.length;
        continue;
      }
    }
    const pack: Pack = { target, lane, messages: [message] };
    packs.push(pack);
    last = { pack, length: single ? packLength : body.length };
    open.set(`${target}:${lane}`, last);
  }
  return packs;
}

/** JSON as it is encoded does; whatever else stands in an edge stands there alone. */
function fitsALine({ body, head }: Outgoing): boolean {
  if (body.length >= packLength) return false;
  return head !== undefined || !(body.includes(separator) || body.startsWith(headMark));
}

/** Writes the messages of an entry as one text, and how many there are. */
export function packed({ messages }: Pack): { count: string; text: string } {
  const [first] = messages;
  if (messages.length === 1 && first?.head === undefined) return { count: alone, text: first?.body ?? '' };
  let text = '';
  let shared = '';
  for (const [index, { body, head = '' }] of messages.entries()) {
    if (index > 0) text += separator;
    if (head !== shared) {
      text += headMark + head + separator;
      shared = head;
    }
    text += body;
  }
  return { count: String(messages.length), text };
}

/** Names the message at a place (from 0) among so many of one entry. */
export function messageId(entry: string, index: number, count: number): string {
  return index === count - 1 ? entry : `${entry}.${index + 1}`;
}

/**
 * Takes the messages out of an entry: `q` is the number of the first, `n` how many there are (absent: one, as it
 * is), `m` their text. An entry in which these do not fit together is one message without a number.
 */
export function unpack(id: string, fields: ReadonlyMap<string, string>): Unpacked[] {
  const first = Number(fields.get('q') ?? Number.NaN);
  const text = fields.get('m') ?? '';
  const declared = fields.get('n');
  if (declared === undefined) return [{ id, sequence: first, body: text, head: undefined }];
  const lines = text.split(separator);
  const count = Number(declared);
  const messages: Unpacked[] = [];
  let head: string | undefined;
  for (const line of lines) {
    if (line.startsWith(headMark)) head = line.length > 1 ? line.slice(1) : undefined;
    else {
      const index = messages.length;
      messages.push({ id: messageId(id, index, count), sequence: first + index, body: line, head });
    }
  }
  const fits = String(messages.length) === declared && first > 0;
  return fits ? messages : [{ id, sequence: Number.NaN, body: text, head: undefined }];
}
