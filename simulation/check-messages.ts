import type { DeadLetter } from '../src/protocol/local-api.ts';
import type { Evidence } from './checker.ts';
import { manyAttempts } from './faults.ts';
import type { Request } from './human.ts';
import type { Handled, SentMessage, StoreView } from './store-view.ts';

/**
 * Nothing sent is lost, nothing is acted on twice, each edge and lane keeps its order and its limit, no fenced
 * incarnation acts, what was given up can be found, and a key asks once.
 */
export function checkMessages({ view, climate, keys, poison }: Evidence): string[] {
  const messages = view.messages();
  const handled = view.handled();
  const first = handled.filter(({ r }) => r === undefined);
  // Chance alone kills a message only where few tries are allowed.
  const honest = climate.attempts < manyAttempts ? new Set(['expired', 'internal']) : new Set(['expired']);
  return [
    ...checkOnce(messages, handled, { honest, poison: poison.messageId }),
    ...checkOrder(messages, first),
    ...checkLetters(view, handled),
    ...checkKeys(messages, first, keys),
    ...checkRoom(messages, first, climate.edgeLimit),
  ];
}

const placeOf = ({ edge, i }: Handled) => `${edge}@${i}`;

function checkOnce(
  messages: readonly SentMessage[],
  handled: readonly Handled[],
  { honest, poison }: { honest: ReadonlySet<string>; poison: string | null },
): string[] {
  const problems: string[] = [];
  const linesOf = Map.groupBy(handled, placeOf);
  const known = new Map<string, string>();
  for (const { edge, entryId, message } of messages) {
    const name = `${message.action} ${message.message_id} in ${edge}`;
    const other = known.get(message.message_id);
    if (other !== undefined) problems.push(`sent twice: ${name} and ${other}`);
    known.set(message.message_id, name);
    const lines = linesOf.get(`${edge}@${entryId}`) ?? [];
    const first = lines.filter(({ r }) => r === undefined);
    const acted = lines.filter(({ x }) => x === undefined);
    if (first.length === 0) problems.push(`sent and never acted on: ${name}`);
    if (first.length > 1 || acted.length > 1) problems.push(`acted on ${lines.length} times: ${name}`);
    const error = first[0]?.x;
    if (error && !honest.has(error.code) && message.message_id !== poison)
      problems.push(`dead: ${name}: ${error.code}: ${error.reason}`);
  }
  return problems;
}

/** Whatever was given up is a dead letter until it was acted on or somebody discarded it. */
function checkLetters(view: StoreView, handled: readonly Handled[]): string[] {
  const problems: string[] = [];
  for (const lines of Map.groupBy(handled, placeOf).values()) {
    const last = lines.at(-1);
    if (!last?.x) continue;
    const [elder = ''] = last.edge.split('<');
    const id = last.m ?? '';
    const orders = [...view.rows<{ what: string; messageId: string }>(elder, '@orders').values()];
    const discarded = orders.some(({ what, messageId }) => what === 'discard' && messageId === id);
    if (discarded || view.rows<DeadLetter>(elder, '@dead').has(id)) continue;
    problems.push(`given up and no dead letter: ${id} in ${last.edge}`);
  }
  return problems;
}

/** What was asked under one key was carried out once, however often it was asked. */
function checkKeys(
  messages: readonly SentMessage[],
  handled: readonly Handled[],
  keys: ReadonlyMap<string, Request>,
): string[] {
  const acted = new Set(handled.filter(({ x }) => x === undefined).map(placeOf));
  // One that its elder refused changed nothing and may be asked anew.
  const isRefusal = ({ message }: SentMessage) => message.action === 'reply.error';
  const refused = new Set(messages.filter(isRefusal).map(({ message }) => message.causation_id));
  return [...keys].flatMap(([key, { action, payload }]) => {
    const times = messages.filter(
      ({ edge, entryId, message }) =>
        message.source_elder === 'gateway' &&
        message.action === action &&
        message.payload.directiveId === payload.directiveId &&
        !refused.has(message.message_id) &&
        acted.has(`${edge}@${entryId}`),
    ).length;
    return times > 1 ? [`${key} was carried out ${times} times`] : [];
  });
}

/** No edge ever held more than it may. */
function checkRoom(messages: readonly SentMessage[], handled: readonly Handled[], limit: number): string[] {
  const handledAt = new Map(handled.map((line) => [placeOf(line), line]));
  const problems: string[] = [];
  for (const [edge, sent] of Map.groupBy(messages, (message) => message.edge)) {
    // An entry finds as many before it as are not handled when it comes.
    const excess = sent.find(({ entryId }, index) => {
      const before = sent[index - limit];
      const line = before && handledAt.get(`${edge}@${before.entryId}`);
      return before !== undefined && (line?.at ?? Infinity) > Number.parseInt(entryId, 10);
    });
    if (excess) problems.push(`${edge} held more than ${limit}: no room for ${excess.message.message_id}`);
  }
  return problems;
}

function checkOrder(messages: readonly SentMessage[], handled: readonly Handled[]): string[] {
  const problems: string[] = [];
  const sequences = new Map(messages.map(({ edge, entryId, sequence }) => [`${edge}@${entryId}`, sequence]));
  const last = new Map<string, number>();
  const newest = new Map<string, number>();
  for (const { edge, i, incarnation } of handled) {
    const sequence = sequences.get(`${edge}@${i}`) ?? 0;
    const before = last.get(edge) ?? 0;
    if (sequence < before) problems.push(`out of order in ${edge}: ${sequence} after ${before}`);
    last.set(edge, sequence);
    const [reader = ''] = edge.split('<');
    const successor = newest.get(reader) ?? 0;
    if (incarnation < successor) problems.push(`${reader}#${incarnation} acted after #${successor} had`);
    newest.set(reader, Math.max(successor, incarnation));
  }
  return problems;
}
