import type { Context } from '../../../agents/core.ts';
import { ElderError } from '../../../protocol/errors.ts';
import type {
  KnowledgeContent,
  KnowledgeEntry,
  KnowledgeState,
  SimilarEntry,
} from '../../../protocol/knowledge.ts';

/** An entry as it holds now. Times are ms since the epoch. */
export interface EntryRow extends KnowledgeContent {
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly by: string;
  readonly note: string;
  /** What differs from the version before. */
  readonly changed: readonly string[];
  /** Former versions that are kept, the oldest first. */
  readonly kept: readonly number[];
}

/** A former version: the row as it was. */
export type FormerRow = Omit<EntryRow, 'kept'>;

/** Entries that say nearly what this one does, and the sketch by which that is told. */
export interface LikenessRow {
  readonly sketch: string;
  readonly similar: readonly SimilarEntry[];
}

export const entriesOf = (ctx: Context) => ctx.table<EntryRow>('knowledge');
export const formerOf = (ctx: Context) => ctx.table<FormerRow>('former');
export const likenessOf = (ctx: Context) => ctx.table<LikenessRow>('likeness');
/** By name: the characters of JSON in all, and the format that the rows are written in. */
export const totalsOf = (ctx: Context) => ctx.table<number>('totals');

/** Raised with each change of the rows that an older program would misread; state without one is of the first. */
const format = 1;

/** Notes what the rows are written in. */
export function noteFormat(ctx: Context): void {
  if (totalsOf(ctx).get('format') !== format) totalsOf(ctx).put('format', format);
}

/** Throws `conflict` where a newer program has written the state: read as something else it would be spoilt. */
export function checkFormat(ctx: Context): void {
  const found = totalsOf(ctx).get('format') ?? format;
  if (found === format) return;
  throw new ElderError(
    'conflict',
    `the knowledge was written in format ${found}, and this program knows format ${format}: use the program that wrote it`,
  );
}

/** Names a former version in its table. */
export const formerKey = (id: string, version: number) => `${id}@${version}`;

/** Whether an entry holds now. */
export function stateOf(row: KnowledgeContent, now: number): KnowledgeState {
  if (row.supersededBy !== null) return 'superseded';
  return row.expiresAt !== null && row.expiresAt <= now ? 'expired' : 'current';
}

/** Gives what others see of entries, or of former versions of them. */
export function publicEntries(ctx: Context): (row: FormerRow) => KnowledgeEntry {
  const superseded = new Map<string, string[]>();
  for (const [id, { supersededBy }] of entriesOf(ctx).entries()) {
    if (supersededBy !== null) superseded.set(supersededBy, [...(superseded.get(supersededBy) ?? []), id]);
  }
  return (row) => {
    const { note: _, changed: __, kept: ___, ...entry } = row as EntryRow;
    const similar = [...(likenessOf(ctx).get(row.id)?.similar ?? [])];
    return { ...entry, state: stateOf(row, ctx.now()), similar, supersedes: superseded.get(row.id) ?? [] };
  };
}
