/** A stretch of a text, in UTF-16 units of the normalized text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A place of a text that speaks of one of the things asked for. */
export interface Hit extends Span {
  readonly unit: number;
}

/** How far one heading says what is asked and nothing else, from 0 to 1. */
export function headingFit(text: string, hits: readonly Hit[], worth: readonly number[]): number {
  const total = Math.max(
    worth.reduce((sum, one) => sum + one, 0),
    1e-9,
  );
  let best = 0;
  let start = 0;
  for (const line of text.split('\n')) {
    const end = start + line.length;
    const inside = hits.filter((hit) => hit.start >= start && hit.end <= end);
    if (inside.length > 0) {
      const covered = new Set<number>();
      for (const hit of inside) for (let at = hit.start; at < hit.end; at += 1) covered.add(at);
      const letters = line.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
      const asked = new Set(inside.map(({ unit }) => unit));
      const share = [...asked].reduce((sum, unit) => sum + (worth[unit] ?? 0), 0) / total;
      best = Math.max(best, Math.min(1, covered.size / Math.max(1, letters)) * share);
    }
    start = end + 1;
  }
  return best;
}

/** The window of `most` characters that holds the most of what is asked, and its share of all that is asked. */
export function densest(hits: Hit[], worth: readonly number[], most: number): { span: Span; share: number } {
  const total = worth.reduce((sum, one) => sum + one, 0);
  hits.sort((a, b) => a.start - b.start);
  let best = { span: { start: 0, end: 0 }, share: 0 };
  const inside = new Map<number, number>();
  let value = 0;
  let from = 0;
  for (let to = 0; to < hits.length; to += 1) {
    const hit = hits[to];
    if (hit === undefined) break;
    const count = inside.get(hit.unit) ?? 0;
    inside.set(hit.unit, count + 1);
    if (count === 0) value += worth[hit.unit] ?? 0;
    for (let first = hits[from]; first !== undefined && from < to; first = hits[from]) {
      if (hit.end - first.start <= most) break;
      const left = (inside.get(first.unit) ?? 1) - 1;
      inside.set(first.unit, left);
      if (left === 0) value -= worth[first.unit] ?? 0;
      from += 1;
    }
    const share = value / Math.max(total, 1e-9);
    if (share > best.share + 1e-9) best = { span: { start: hits[from]?.start ?? 0, end: hit.end }, share };
  }
  return best;
}
