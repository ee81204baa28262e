/** An item with its place in each list, counted from 1. */
export interface Fused<T> {
  readonly item: T;
  readonly score: number;
  readonly ranks: readonly (number | null)[];
}

/** What reciprocal rank fusion damps the first places with (Cormack, Clarke, Büttcher 2009). */
const damping = 60;

/** Merges ranked lists by rank: scores of different searches cannot be compared, places can. */
export function fuseByRank<T>(lists: readonly (readonly T[])[], keyOf: (item: T) => string): Fused<T>[] {
  const found = new Map<string, { item: T; score: number; ranks: (number | null)[] }>();
  for (const [number, list] of lists.entries()) {
    for (const [at, item] of list.entries()) {
      const key = keyOf(item);
      const entry = found.get(key) ?? { item, score: 0, ranks: lists.map(() => null) };
      entry.score += 1 / (damping + at + 1);
      entry.ranks[number] = at + 1;
      found.set(key, entry);
    }
  }
  return [...found.values()].sort((a, b) => b.score - a.score);
}
