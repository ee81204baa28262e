import { setTimeout as delay } from 'node:timers/promises';
import type { DirectiveChange } from '../protocol/local-api.ts';
import { isFinalDirective } from '../protocol/states.ts';
import type { Events } from './events.ts';
import type { Gateway } from './gateway.ts';

/** Shortest time between two looks, so that a fast directive does not keep the sage busy with answering (ms). */
const pauseMs = 150;
/** Events may be lost, so it looks by itself after this long (ms). */
const fallbackMs = 2_000;

/**
 * Yields a directive as it stands and then each change, until it has ended or the signal aborts; `null` where there was none in a
 * while, so that whoever watches can tell that somebody is there.
 */
export async function* watchDirective(
  gateway: Gateway,
  events: Events,
  directiveId: string,
  signal: AbortSignal,
): AsyncGenerator<DirectiveChange | null> {
  let revision = 0;
  let last = '';
  while (!signal.aborted) {
    const round = new AbortController();
    const within = AbortSignal.any([signal, round.signal]);
    const changed = events.next(directiveId, within);
    const directive = await gateway.record(directiveId, signal);
    const changes = await gateway.tasksSince(directiveId, revision, signal);
    revision = changes.revision;
    const text = JSON.stringify(directive);
    const final = isFinalDirective(directive.state);
    if (text !== last || changes.tasks.length > 0 || final) {
      yield { directive, summary: changes.summary, tasks: changes.tasks, forecast: changes.forecast };
    } else {
      yield null;
    }
    if (final) return;
    last = text;
    await pause(pauseMs, signal);
    await Promise.race([changed, pause(fallbackMs, within)]);
    round.abort();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
