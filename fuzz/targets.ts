import { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Random } from '../simulation/random.ts';
import { type decodeMessage, maxMessageDepth } from '../src/messaging/codec.ts';
import { decodeCommitAnswer, decodeEntries, decodeSnapshot } from '../src/messaging/redis/replies.ts';
import { type Action, actionSpec, actions } from '../src/protocol/actions.ts';
import { ElderError } from '../src/protocol/errors.ts';
import { edgeKey } from '../src/protocol/keys.ts';
import { askRequest } from '../src/protocol/local-api.ts';
import { elderMessage, maxMessageBytes } from '../src/protocol/message.ts';
import { safeCheck } from '../src/protocol/safe-check.ts';
import { readJsonLines } from '../src/supervision/elders/json-lines.ts';
import { keyProof } from '../src/supervision/elders/key-challenge.ts';
import { childReport } from '../src/supervision/elders/start-protocol.ts';
import { shutdownBody } from '../src/supervision/manager/manager-socket.ts';
import { garbage, mutatedText, reply } from './mutate.ts';
import { type Oracle, oracleOf } from './oracle.ts';
import { type DecodeMessage, readerTarget, type Wanted } from './reader.ts';
import { sample } from './sample.ts';
import type { Servers } from './servers.ts';
import { Violation } from './violation.ts';

/** One way into the product: makes an input, feeds it, and tells what became of it. Throws what must not happen. */
export interface Target {
  readonly name: string;
  readonly share: number;
  run(random: Random): boolean | Promise<boolean>;
}

const source = 'claude_elder';
const self = 'task_sage';

function depthOf(value: unknown): number {
  let level = [value].filter(isContainer);
  let depth = 0;
  for (; level.length > 0; depth += 1)
    level = level.flatMap((each) => Object.values(each).filter(isContainer));
  return depth;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isAllFinite(value: unknown): boolean {
  if (isContainer(value)) return Object.values(value).every(isAllFinite);
  return typeof value !== 'number' || Number.isFinite(value);
}

function parsed(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

const envelope = oracleOf(elderMessage);
const actionNames = Object.keys(actions) as Action[];
const payloads = new Map<string, Oracle>(
  actionNames.map((name) => [name, oracleOf(actionSpec(name).payload)]),
);

/** A message that fits its schemas, more often than not between the two elders of the test. */
export function validMessage(
  random: Random,
  { source: from, self: to, actions: allowed = actionNames }: Wanted,
): Record<string, unknown> {
  const message = sample(envelope.schema, random) as Record<string, unknown>;
  const action = random.pick(allowed);
  const { schema } = payloads.get(action) as Oracle;
  return {
    ...message,
    source_elder: random.chance(0.97) ? from : 'manager',
    target_elder: random.chance(0.97) ? to : 'gateway',
    action,
    message_type: actionSpec(action).type,
    payload: sample(schema, random),
  };
}

/** Judges an answer of the codec by an independent validator of the published schema. */
export function judgeDecoded(body: string, decoded: ReturnType<typeof decodeMessage>): void {
  const raw = parsed(body);
  const fits =
    raw !== null &&
    Buffer.byteLength(body) <= maxMessageBytes &&
    depthOf(raw.value) <= maxMessageDepth &&
    // A number beyond all bounds, such as 1e999, is none in JSON once it is read.
    isAllFinite(raw.value) &&
    envelope.allows(raw.value);
  if (!decoded.ok) {
    const { code, reason } = decoded.error;
    if (code === 'malformed' && fits)
      throw new Violation(`refused although the schema allows it (${reason})`, body);
    if (code === 'denied' && !fits) throw new Violation('denied although it is malformed', body);
    if (reason.length === 0 || reason.length > 1_000) throw new Violation('a reason of no use', reason);
    return;
  }
  if (raw === null || !fits) throw new Violation('accepted although the schema forbids it', body);
  const given = raw.value as Record<string, unknown>;
  if (given.source_elder !== source || given.target_elder !== self)
    throw new Violation('accepted a stranger', body);
  const expected: Record<string, unknown> = { priority: 5, requires_ack: false };
  for (const name of Object.keys(envelope.schema.properties ?? {})) {
    if (Object.hasOwn(given, name)) expected[name] = given[name];
  }
  const got = JSON.stringify(sorted(decoded.message));
  if (got !== JSON.stringify(sorted(expected)))
    throw new Violation(`decoded as something else, ${got}`, body);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isContainer(value)) return value;
  return Object.entries(value)
    .filter(([key]) => key !== '__proto__')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => [key, sorted(part)]);
}

function codecTarget(decode: DecodeMessage): Target {
  const edge = edgeKey(source, 'normal');
  return {
    name: 'codec',
    share: 6,
    run(random) {
      const message = validMessage(random, { source, self });
      if (random.chance(0.5)) {
        const body = mutatedText(message, random);
        const decoded = decode(body, edge, self);
        judgeDecoded(body, decoded);
        return decoded.ok;
      }
      const { head, body } = splitInTwo(message, random);
      const decoded = decode(body, edge, self, head);
      judgeDecoded(wholeOf(head, body), decoded);
      return decoded.ok;
    },
  };
}

/** Cuts a message as one that shares fields with its neighbours; mostly where the product does. */
function splitInTwo(message: Record<string, unknown>, random: Random): { head: string; body: string } {
  const own = new Set(['message_id', 'payload', 'correlation_id', 'causation_id']);
  const isOwn = (name: string) => (random.chance(0.98) ? own.has(name) : random.chance(0.5));
  const parts = Map.groupBy(Object.entries(message), ([name]) => (isOwn(name) ? 'body' : 'head'));
  const textOf = (part: 'head' | 'body') => Object.fromEntries(parts.get(part) ?? []);
  const spoilt = random.pick(['head', 'body']);
  const text = (part: 'head' | 'body') =>
    part === spoilt ? mutatedText(textOf(part), random) : JSON.stringify(textOf(part));
  return { head: text('head'), body: text('body') };
}

/** Says by the letter what a message in two parts means: its own fields count, and without a story it begins one. */
function wholeOf(head: string, body: string): string {
  const values = [head, body].map((text) => parsed(text)?.value);
  if (!values.every((value) => isContainer(value) && !Array.isArray(value))) return 'no message';
  const inner = [head, body].map((text) => text.trim().slice(1, -1).trim()).filter((text) => text !== '');
  const all = { ...(values[0] as object), ...(values[1] as object) } as Record<string, unknown>;
  if (all.correlation_id === undefined && all.message_id !== undefined) {
    inner.push(`"correlation_id":${JSON.stringify(all.message_id)}`);
  }
  return `{${inner.join(',')}}`;
}

function schemaTarget(name: string, share: number, schema: z.ZodType, oracle: Oracle): Target {
  return {
    name,
    share,
    run(random) {
      const text = mutatedText(sample(oracle.schema, random), random);
      const raw = parsed(text);
      if (raw === null) return false;
      const accepted = safeCheck(schema, raw.value).ok;
      if (accepted && !oracle.allows(raw.value))
        throw new Violation(`${name} took what its schema forbids`, text);
      return accepted;
    },
  };
}

const edges = [{ target: 'servant_1', lane: 'normal' as const }];
const prefix = '{et:test}:in:task_sage:';
const asked = { cursors: new Map([[edgeKey(source, 'normal'), '1-1.1']]), count: 2 };

/** Something that resembles what Redis answers, with mistakes in it. */
function redisReply(random: Random): unknown {
  const count = () => random.pick(['1', '2', '-1', 'x', '', '99999999999999999999']);
  const entry = () => [
    random.pick(['1-1', '1700000000000-3', 'x', '']),
    random.chance(0.5)
      ? ['q', count(), 'm', garbage(random)]
      : ['q', count(), 'n', count(), 'm', `${garbage(random)}\n${garbage(random)}`],
  ];
  const usual = () => [[`${prefix}${source}:normal`, Array.from({ length: random.whole(0, 3) }, entry)]];
  if (random.chance(0.3)) return reply(random);
  const value = random.pick<() => unknown>([
    usual,
    () => ['@n', random.pick(['7', 'x', '-1', '1.5']), 'table/row', '{}'],
    () => [`${source}:normal`, random.pick(['1-1 7', '1-1', 'x', '1-1 -2', '1-1 99999999999999999999'])],
    () => [
      random.pick(['OK', 'STALE', 'FULL', 'FENCED', 'NEW']),
      random.pick<unknown>([1, 0, 2, 'x', null, -1, 1.5]),
    ],
  ])();
  const holders: unknown[][] = [];
  const collect = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    holders.push(part);
    for (const each of part) collect(each);
  };
  collect(value);
  if (random.chance(0.5)) {
    const holder = random.pick(holders);
    if (random.chance(0.3)) holder.pop();
    else holder[random.whole(0, holder.length)] = reply(random, 3);
  }
  return value;
}

/** Runs a decoder that may only give its result or refuse. */
function decodedBy<T>(decode: () => T, input: unknown): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ElderError && error.code === 'redis_refused') return null;
    throw new Violation(`a reply brought down its decoder (${error})`, input);
  }
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

const repliesTarget: Target = {
  name: 'replies',
  share: 2,
  run(random) {
    const input = redisReply(random);
    const entries = decodedBy(() => decodeEntries(input, prefix, asked).entries, input);
    for (const { id, sequence, body } of entries ?? []) {
      if (typeof id !== 'string' || typeof sequence !== 'number' || typeof body !== 'string') {
        throw new Violation('an entry that is none', input);
      }
    }
    const other = redisReply(random);
    const snapshot = decodedBy(() => decodeSnapshot(input, other), [input, other]);
    const positions = [...(snapshot?.positions.values() ?? [])];
    if (
      snapshot &&
      !(isCount(snapshot.commitNumber) && positions.every(({ sequence }) => isCount(sequence)))
    ) {
      throw new Violation('a number that is none', [input, other]);
    }
    const answer = decodedBy(() => decodeCommitAnswer(input, edges), input);
    if (answer?.kind === 'stale' && !isCount(answer.number)) throw new Violation('stale at no number', input);
    return entries !== null || snapshot !== null || answer !== null;
  },
};

/** Lines from a child on its descriptor, cut into chunks anywhere. */
function linesTarget(): Target {
  const report = oracleOf(childReport);
  const proof = oracleOf(keyProof);
  return {
    name: 'child lines',
    share: 1,
    async run(random) {
      const lines = Array.from({ length: random.whole(1, 3) }, () =>
        mutatedText(sample(random.pick([report, proof]).schema, random), random),
      );
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      const cut = random.whole(0, bytes.length);
      const stream = Readable.from([bytes.subarray(0, cut), bytes.subarray(cut)]);
      let taken = 0;
      try {
        for await (const line of readJsonLines(stream, 65_536)) {
          if (childReport.safeParse(line).success) {
            taken += 1;
            if (!report.allows(line)) throw new Violation('a report that its schema forbids', line);
          }
          if (keyProof.safeParse(line).success && !proof.allows(line)) throw new Violation('no proof', line);
        }
      } catch (error) {
        if (error instanceof Violation) throw error;
        // Any other end of the lines is how a child that breaks the protocol is noticed.
        if (!(error instanceof Error)) throw new Violation('something else than an error', lines);
      }
      return taken > 0;
    },
  };
}

/** All ways in; `decode` is the codec under test. */
export function targets(decode: DecodeMessage, servers: Servers): Target[] {
  return [
    codecTarget(decode),
    readerTarget({ envelope, payloads, validMessage }),
    repliesTarget,
    linesTarget(),
    schemaTarget('gateway request', 1, askRequest, oracleOf(askRequest)),
    schemaTarget('shutdown request', 0.2, shutdownBody, oracleOf(shutdownBody)),
    // A connection each, so there are few.
    { name: 'servers', share: 0.05, run: (random) => servers.knock(random) },
  ];
}
