import type { Entry } from '../broker.ts';
import { systemClock } from '../clock.ts';

/** What ends a wait for entries early. */
interface ReadLimits {
  readonly signal: AbortSignal | undefined;
  /** Aborts when nothing is to be read any more. */
  readonly closing: AbortSignal;
  readonly waitMs?: number | undefined;
}

/** Waits until entries are there, or only until a limit is reached: then there are none. Rejects as the read does, before that. */
export async function settleRead(
  entries: Promise<Entry[]> | Entry[] | null,
  { signal, closing, waitMs }: ReadLimits,
): Promise<Entry[]> {
  const { promise, resolve } = Promise.withResolvers<Entry[]>();
  const stop = () => resolve([]);
  const cancel = waitMs === undefined ? () => {} : systemClock.setTimer(waitMs, stop);
  signal?.addEventListener('abort', stop, { once: true });
  closing.addEventListener('abort', stop, { once: true });
  try {
    return await (entries === null ? promise : Promise.race([entries, promise]));
  } catch (error) {
    if (closing.aborted || signal?.aborted === true) return [];
    throw error;
  } finally {
    cancel();
    signal?.removeEventListener('abort', stop);
    closing.removeEventListener('abort', stop);
  }
}
