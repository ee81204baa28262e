import type { Context } from '../../../agents/core.ts';
import type { SimilarEntry } from '../../../protocol/knowledge.ts';
import { similarity, sketchOf } from './sketch.ts';
import { type LikenessRow, likenessOf } from './tables.ts';

/** From this share of common text on, two entries are linked as near-duplicates. */
export const likenessThreshold = 0.7;
const mostSimilar = 10;

function best(similar: readonly SimilarEntry[]): SimilarEntry[] {
  return [...similar]
    .sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
    .slice(0, mostSimilar);
}

function without(ctx: Context, id: string): void {
  for (const { id: other } of likenessOf(ctx).get(id)?.similar ?? []) {
    const row = likenessOf(ctx).get(other);
    if (row) likenessOf(ctx).put(other, { ...row, similar: row.similar.filter((each) => each.id !== id) });
  }
}

/** Links an entry with those that say nearly the same, both ways, and gives them, the most alike first. */
export function linkSimilar(ctx: Context, id: string, text: string): SimilarEntry[] {
  const sketch = sketchOf(text);
  const known = likenessOf(ctx).get(id);
  if (known?.sketch === sketch) return [...known.similar];
  without(ctx, id);
  const found: { id: string; row: LikenessRow; similarity: number }[] = [];
  for (const [other, row] of likenessOf(ctx).entries()) {
    if (other === id) continue;
    const value = Math.round(similarity(sketch, row.sketch) * 100) / 100;
    if (value >= likenessThreshold) found.push({ id: other, row, similarity: value });
  }
  const kept = best(found.map(({ id: other, similarity: value }) => ({ id: other, similarity: value })));
  likenessOf(ctx).put(id, { sketch, similar: kept });
  for (const { id: other, row, similarity: value } of found) {
    if (!kept.some((each) => each.id === other)) continue;
    likenessOf(ctx).put(other, { ...row, similar: best([...row.similar, { id, similarity: value }]) });
  }
  return kept;
}

/** Forgets an entry that is removed. */
export function unlink(ctx: Context, id: string): void {
  without(ctx, id);
  likenessOf(ctx).delete(id);
}
