import type { Context } from '../../../agents/core.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { unlink } from './likeness.ts';
import { type EntryRow, entriesOf, formerKey, formerOf, noteFormat, totalsOf } from './tables.ts';

/** How much is kept. */
export interface KnowledgeLimits {
  readonly entries: number;
  /** Former versions of one entry: the first, and the newest. */
  readonly versions: number;
  /** Characters of JSON of all entries and versions. */
  readonly characters: number;
}

export const knowledgeLimits: KnowledgeLimits = { entries: 5_000, versions: 20, characters: 32_000_000 };

const sizeOf = (row: object) => JSON.stringify(row).length;

function count(ctx: Context, change: number): void {
  totalsOf(ctx).put('characters', (totalsOf(ctx).get('characters') ?? 0) + change);
}

/** Stores an entry and counts what it takes. */
export function keepEntry(ctx: Context, row: EntryRow): void {
  const before = entriesOf(ctx).get(row.id);
  count(ctx, sizeOf(row) - (before ? sizeOf(before) : 0));
  noteFormat(ctx);
  entriesOf(ctx).put(row.id, row);
  ctx.effect({ kind: 'index', id: row.id, entry: row });
}

/** Keeps a former version; the first and the newest stay, those between go. */
export function keepFormer(ctx: Context, row: EntryRow, { versions }: KnowledgeLimits): number[] {
  const { kept, ...former } = row;
  count(ctx, sizeOf(former));
  formerOf(ctx).put(formerKey(row.id, row.version), former);
  const all = [...kept, row.version];
  while (all.length > versions) dropFormer(ctx, row.id, all.splice(1, 1)[0] ?? 0);
  return all;
}

function dropFormer(ctx: Context, id: string, version: number): void {
  const key = formerKey(id, version);
  const row = formerOf(ctx).get(key);
  if (!row) return;
  count(ctx, -sizeOf(row));
  formerOf(ctx).delete(key);
}

/** Removes an entry with its versions. */
export function removeEntry(ctx: Context, row: EntryRow): void {
  for (const version of row.kept) dropFormer(ctx, row.id, version);
  count(ctx, -sizeOf(row));
  entriesOf(ctx).delete(row.id);
  unlink(ctx, row.id);
  ctx.effect({ kind: 'index', id: row.id, entry: null });
}

/** What may be removed where room ends, in this order: what has expired, longest ago first, then what was derived. */
function removable(rows: readonly EntryRow[], now: number): EntryRow[] {
  // What others are hidden behind stays while they do.
  const successors = new Set(rows.map(({ supersededBy }) => supersededBy));
  const free = rows.filter(({ id }) => !successors.has(id));
  const endOf = ({ expiresAt }: EntryRow) => expiresAt ?? Number.POSITIVE_INFINITY;
  const expired = free.filter((row) => endOf(row) <= now).sort((a, b) => endOf(a) - endOf(b));
  return [...expired, ...free.filter((row) => row.derived && !expired.includes(row))];
}

/**
 * Sees to it that nothing is above its limit. Former versions of what was changed longest ago go first, then entries that
 * have expired, then the oldest that were derived; what else people wrote stays. Throws `too_large` where that is not
 * enough.
 */
export function makeRoom(ctx: Context, limits: KnowledgeLimits, spare: string): void {
  const tooMany = () => entriesOf(ctx).size > limits.entries;
  const tooMuch = () => (totalsOf(ctx).get('characters') ?? 0) > limits.characters;
  if (!tooMany() && !tooMuch()) return;
  const oldest = [...entriesOf(ctx).entries()]
    .map(([, row]) => row)
    .sort((a, b) => a.updatedAt - b.updatedAt);
  for (const row of oldest) {
    if (!tooMuch()) break;
    const [first, ...between] = row.kept;
    for (const version of between) dropFormer(ctx, row.id, version);
    if (first !== undefined && between.length > 0) entriesOf(ctx).put(row.id, { ...row, kept: [first] });
  }
  for (const row of removable(oldest, ctx.now())) {
    if (!tooMany() && !tooMuch()) return;
    // It may have lost versions just now.
    const present = entriesOf(ctx).get(row.id);
    if (present && row.id !== spare) removeEntry(ctx, present);
  }
  if (tooMany())
    throw new ElderError('too_large', `there are ${limits.entries} entries already; some must be forgotten`);
  if (tooMuch()) throw new ElderError('too_large', 'all that is known takes too much room');
}
