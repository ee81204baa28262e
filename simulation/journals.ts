import { messageText } from '../src/messaging/codec.ts';
import { readJournalText } from '../src/messaging/journal.ts';
import type { JournalEntry, MemoryStore } from '../src/messaging/memory/memory-store.ts';
import { type EdgeKey, splitEdgeKey } from '../src/protocol/keys.ts';
import type { JournalLine } from '../src/protocol/local-api.ts';

/** Gives what one entry of an elder's journal says of each message, with the ids that its edges know. */
export function linesOf(store: MemoryStore, name: string, { journal }: JournalEntry): JournalLine[] {
  return readJournalText(journal).flatMap(({ q, k, ...line }) => {
    if (q === undefined || k === undefined) return [line];
    const { source, lane } = splitEdgeKey(line.e as EdgeKey);
    const entries = store.edgeOf(name, source, lane);
    const first = entries[0]?.sequence ?? 0;
    return Array.from({ length: k }, (_, index) => {
      const entry = entries[q - first + index];
      // What the edge no longer holds has a place, but no id.
      if (!entry) return { ...line, i: `#${q + index}` };
      const { message_id: m } = JSON.parse(messageText(entry)) as { message_id: string };
      return { ...line, i: entry.id, m };
    });
  });
}
