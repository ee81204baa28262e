import type { Handled, SentMessage, StoreView } from './store-view.ts';

/** Errors that may end a message without anything being wrong. */
const honestDeaths = new Set(['expired']);

/** Nothing sent is lost, nothing is acted on twice, each edge and lane keeps its order, no fenced incarnation acts. */
export function checkMessages(view: StoreView): string[] {
  const messages = view.messages();
  const handled = view.handled();
  return [...checkOnce(messages, handled), ...checkOrder(messages, handled)];
}

function checkOnce(messages: readonly SentMessage[], handled: readonly Handled[]): string[] {
  const problems: string[] = [];
  const linesOf = Map.groupBy(handled, ({ edge, i }) => `${edge}@${i}`);
  const known = new Map<string, string>();
  for (const { edge, entryId, message } of messages) {
    const name = `${message.action} ${message.message_id} in ${edge}`;
    const other = known.get(message.message_id);
    if (other !== undefined) problems.push(`sent twice: ${name} and ${other}`);
    known.set(message.message_id, name);
    const lines = linesOf.get(`${edge}@${entryId}`) ?? [];
    if (lines.length === 0) problems.push(`sent and never acted on: ${name}`);
    if (lines.length > 1) problems.push(`acted on ${lines.length} times: ${name}`);
    const error = lines[0]?.x;
    if (error && !honestDeaths.has(error.code))
      problems.push(`dead: ${name}: ${error.code}: ${error.reason}`);
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
