import type { Context } from '../../../agents/core.ts';
import type { PayloadOf, ReplyOf } from '../../../protocol/actions.ts';
import { ElderError } from '../../../protocol/errors.ts';
import type { KnowledgeEntry, KnowledgeFilters, KnowledgeHit } from '../../../protocol/knowledge.ts';
import { didYouMean } from '../../../protocol/nearest.ts';
import type { Finder } from '../finders/finder.ts';
import {
  type EntryRow,
  entriesOf,
  formerKey,
  formerOf,
  likenessOf,
  publicEntries,
  stateOf,
} from './tables.ts';

/** An answer is one message, so what it holds is cut to fit (bytes of JSON in all). */
const answerBytes = 600_000;
/** Of entries that are alike by more than this, a distinct search gives the best only. */
const sameShare = 0.85;

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** Cuts a text so that it takes at most this many bytes in JSON. */
function cut(text: string, maxBytes: number): string {
  let kept = text;
  for (;;) {
    const bytes = bytesOf(kept);
    if (bytes <= maxBytes) return kept;
    kept = kept.slice(0, Math.floor((kept.length * maxBytes) / bytes)).toWellFormed();
  }
}

/** Gives an entry as it is kept. Throws `not_found`, with the nearest id. */
export function findEntry(ctx: Context, id: string): EntryRow {
  const row = entriesOf(ctx).get(id);
  if (row) return row;
  const ids = [...entriesOf(ctx).entries()].map(([each]) => each);
  throw new ElderError('not_found', `no entry ${id}${didYouMean(id, ids)}`);
}

/** Gives an entry, or a former version of it. Throws `not_found`. */
export function showEntry(ctx: Context, { id, version }: PayloadOf<'sage.knowledge.show'>): KnowledgeEntry {
  const row = findEntry(ctx, id);
  const present = publicEntries(ctx);
  if (version === undefined || version === row.version) return present(row);
  const former = formerOf(ctx).get(formerKey(id, version));
  if (former) return present(former);
  const all = [...row.kept, row.version].join(', ');
  throw new ElderError('not_found', `no version ${version} of ${id}; kept are ${all}`);
}

/** Gives the versions of an entry, the newest first. Throws `not_found`. */
export function historyOf(
  ctx: Context,
  { id }: PayloadOf<'sage.knowledge.history'>,
): ReplyOf<'sage.knowledge.history'> {
  const row = findEntry(ctx, id);
  const former = row.kept.flatMap((version) => formerOf(ctx).get(formerKey(id, version)) ?? []);
  const versions = [...former, row].reverse().map(({ version, updatedAt: at, by, note, changed, title }) => ({
    ...{ version, at, by, note, changed: [...changed], title },
  }));
  return { id, versions, dropped: row.version - versions.length };
}

function meets(row: EntryRow, { kinds, tags, all }: KnowledgeFilters, now: number): boolean {
  if (!all && stateOf(row, now) !== 'current') return false;
  return (kinds.length === 0 || kinds.includes(row.kind)) && tags.every((tag) => row.tags.includes(tag));
}

/** Lists entries: the newest without their bodies, or by id with them, as many as fit. */
export function listEntries(
  ctx: Context,
  { limit, after, ...filters }: PayloadOf<'sage.knowledge.list'>,
): ReplyOf<'sage.knowledge.list'> {
  const now = ctx.now();
  const rows = [...entriesOf(ctx).entries()].map(([, row]) => row).filter((row) => meets(row, filters, now));
  const byId = (a: EntryRow, b: EntryRow) => (a.id < b.id ? -1 : 1);
  if (after === undefined) rows.sort((a, b) => b.updatedAt - a.updatedAt || byId(a, b));
  else rows.sort(byId);
  const wanted = after === undefined ? rows : rows.filter((row) => row.id > after);
  const present = publicEntries(ctx);
  const entries: KnowledgeEntry[] = [];
  let bytes = 0;
  for (const row of wanted.slice(0, limit)) {
    const entry = after === undefined ? { ...present(row), body: '' } : present(row);
    bytes += bytesOf(entry);
    if (bytes > answerBytes && entries.length > 0) break;
    entries.push(entry);
  }
  return { entries, total: rows.length, more: entries.length < wanted.length };
}

/** Finds entries by words. */
export function searchEntries(
  ctx: Context,
  { query, limit, distinct, explain, ...filters }: PayloadOf<'sage.knowledge.search'>,
  finder: Finder,
): ReplyOf<'sage.knowledge.search'> {
  const now = ctx.now();
  const table = entriesOf(ctx);
  const { method, found } = finder.find({
    query,
    limit: distinct ? limit * 4 : limit,
    explain,
    kinds: filters.kinds,
    tags: filters.tags,
    accepts: (id) => {
      const row = table.get(id);
      return row !== undefined && meets(row, filters, now);
    },
    *rows() {
      for (const [, row] of table.entries()) yield row;
    },
  });
  const present = publicEntries(ctx);
  const taken = new Set<string>();
  const room = Math.floor(answerBytes / limit);
  const entries: KnowledgeHit[] = [];
  for (const one of found) {
    const row = table.get(one.id);
    if (!row || entries.length >= limit) continue;
    const alike = likenessOf(ctx).get(one.id)?.similar ?? [];
    if (distinct && alike.some(({ id, similarity }) => similarity >= sameShare && taken.has(id))) continue;
    taken.add(one.id);
    const { explanation, headings, highlights, ...rest } = one;
    entries.push({
      ...present(row),
      ...rest,
      headings: [...headings],
      highlights: [...highlights],
      body: cut(row.body, Math.floor(room / 2)),
      snippet: cut(one.snippet, 4_000),
      ...(explanation === undefined ? {} : { explanation: explanation as never }),
    });
  }
  return { method, entries };
}
