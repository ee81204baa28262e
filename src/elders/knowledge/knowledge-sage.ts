import type { Context, Core } from '../../agents/core.ts';
import type { KnowledgeDraft, KnowledgeHit } from '../../protocol/actions.ts';
import { score, terms } from './lexical-score.ts';

interface Entry extends KnowledgeDraft {
  readonly source: string;
  readonly storedAt: number;
}

const maxEntries = 5_000;
/** An answer is one message, so the bodies of the hits are cut to fit (bytes of JSON in all). */
const answerBytes = 600_000;
const entries = (ctx: Context) => ctx.table<Entry>('entries');

/** Cuts a text so that it takes at most this many bytes in JSON. */
function cut(text: string, maxBytes: number): string {
  let kept = text;
  for (;;) {
    const bytes = Buffer.byteLength(JSON.stringify(kept));
    if (bytes <= maxBytes) return kept;
    kept = kept.slice(0, Math.floor((kept.length * maxBytes) / bytes));
  }
}

function search(ctx: Context, query: string, limit: number): KnowledgeHit[] {
  const wanted = terms(query);
  const hits: KnowledgeHit[] = [];
  for (const [, entry] of entries(ctx).entries()) {
    const value = score(wanted, entry.title, `${entry.tags.join(' ')} ${entry.body}`);
    if (value > 0) hits.push({ ...entry, score: value });
  }
  hits.sort((a, b) => b.score - a.score || b.storedAt - a.storedAt);
  const room = Math.floor(answerBytes / limit);
  return hits.slice(0, limit).map((hit) => ({ ...hit, body: cut(hit.body, room) }));
}

/** The knowledge sage: keeps what was learned and finds it again by the words it has in common with a question. */
export function knowledgeSage(): Core {
  return {
    handlers: {
      'sage.knowledge.store': (ctx, { source, payload }) => {
        entries(ctx).put(payload.key, { ...payload, source, storedAt: ctx.now() });
        if (entries(ctx).size <= maxEntries) return;
        const [oldest] = [...entries(ctx).entries()].sort(([, a], [, b]) => a.storedAt - b.storedAt);
        if (oldest) entries(ctx).delete(oldest[0]);
      },
      'sage.knowledge.search': (ctx, { payload }) => ({ entries: search(ctx, payload.query, payload.limit) }),
    },
  };
}
