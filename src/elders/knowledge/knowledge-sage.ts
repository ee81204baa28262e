import type { Context, Core } from '../../agents/core.ts';
import type { KnowledgeDraft } from '../../protocol/actions.ts';
import type { KnowledgeInput } from '../../protocol/knowledge.ts';
import { removeSecrets } from '../rag/secrets/find-secrets.ts';
import { forgetEntry } from './entries/forget.ts';
import { historyOf, listEntries, searchEntries, showEntry } from './entries/read.ts';
import { knowledgeLimits } from './entries/room.ts';
import { checkFormat, entriesOf } from './entries/tables.ts';
import { putEntries, putEntry } from './entries/write.ts';
import type { Finder } from './finders/finder.ts';
import { scanFinder } from './finders/scan-finder.ts';

/** What an elder writes, as an entry. */
function entryOf({ key: id, directiveId, ...draft }: KnowledgeDraft, source: string): KnowledgeInput {
  const { kind = 'lesson', confidence = null, derived = false, links, title, tags } = draft;
  // Commands and their output stand in it, and nobody has looked at them.
  const body = derived ? removeSecrets(draft.body).text : draft.body;
  return {
    ...{ id, title, body, tags, kind, confidence, derived, expiresAt: null, supersededBy: null },
    source: draft.source ?? source,
    links: links ?? { directives: directiveId === null ? [] : [directiveId], tasks: [], incidents: [] },
  };
}

function* rowsOf(ctx: Context) {
  for (const [, row] of entriesOf(ctx).entries()) yield row;
}

/**
 * The knowledge sage: keeps what was learned, with its versions and where it comes from, and finds it again. `finder`
 * searches; without one every entry is looked at.
 */
export function knowledgeSage(finder: Finder = scanFinder, limits = knowledgeLimits): Core {
  return {
    onStart: (ctx) => {
      checkFormat(ctx);
      finder.start(rowsOf(ctx));
    },
    handlers: {
      'sage.knowledge.store': (ctx, { source, payload }) => {
        putEntry(ctx, entryOf(payload, source), { by: source, note: '' }, limits);
      },
      'sage.knowledge.put': (ctx, { payload }) => ({
        results: putEntries(ctx, payload.entries, { by: 'human', note: payload.note }, limits),
      }),
      'sage.knowledge.forget': (ctx, { payload }) => forgetEntry(ctx, payload.id),
      'sage.knowledge.show': (ctx, { payload }) => showEntry(ctx, payload),
      'sage.knowledge.history': (ctx, { payload }) => historyOf(ctx, payload),
      'sage.knowledge.list': (ctx, { payload }) => listEntries(ctx, payload),
      'sage.knowledge.search': (ctx, { payload }) => searchEntries(ctx, payload, finder),
    },
  };
}
