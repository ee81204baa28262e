import type { RedisCommands } from './redis-commands.ts';
import { decodeStream, type StreamEntry } from './replies.ts';

const pageLength = 500;

/** Reads a whole stream in pages. Throws as the connection does, and when the signal aborts. */
export async function* readStream(
  redis: RedisCommands,
  key: string,
  signal?: AbortSignal,
): AsyncGenerator<StreamEntry> {
  for (let from = '-'; ; ) {
    signal?.throwIfAborted();
    const page = decodeStream(await redis.command(['XRANGE', key, from, '+', 'COUNT', String(pageLength)]));
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < pageLength) return;
    from = `(${last.id}`;
  }
}
