import type { Explanation, ScoredChunk } from './score.ts';
import { scoreWeights } from './weights.ts';

/** A passage in its place, with how it came there. */
export interface RankedChunk {
  readonly scored: ScoredChunk;
  readonly score: number;
  readonly explanation: Explanation;
}

/** The same text more often than this goes to the end: copies must not crowd out the rest. */
const mostCopies = 2;

/** What a document's other passages say, the best of them most. */
function documentScores(scored: readonly ScoredChunk[]): Map<number, number[]> {
  const byDocument = new Map<number, number[]>();
  for (const { document, own } of scored) {
    const known = byDocument.get(document.id);
    if (known === undefined) byDocument.set(document.id, [own]);
    else known.push(own);
  }
  for (const scores of byDocument.values()) scores.sort((a, b) => b - a);
  return byDocument;
}

function othersOf(scores: readonly number[], own: number): number {
  const others = [...scores];
  others.splice(others.indexOf(own), 1);
  return others.slice(0, 3).reduce((sum, score, place) => sum + score / (place + 1), 0) / 1.8;
}

/** Orders passages by their own score, their document and their neighbours. */
export function rank(scored: readonly ScoredChunk[]): RankedChunk[] {
  const byDocument = documentScores(scored);
  const ownOf = new Map(scored.map((one) => [one.chunk.id, one] as const));
  const ranked = scored.map((one): RankedChunk => {
    const beside = [ownOf.get(one.chunk.id - 1), ownOf.get(one.chunk.id + 1)];
    const best = Math.max(
      0,
      ...beside.map((other) => (other?.document.id === one.document.id ? other.own : 0)),
    );
    const missing = (1 - one.coverage) / scoreWeights.coverage;
    const document =
      scoreWeights.document * missing * othersOf(byDocument.get(one.document.id) ?? [one.own], one.own);
    const neighbours = scoreWeights.neighbours * best;
    const { terms, units, coverage, proximity, adjacency, heading, language } = one;
    const explanation = {
      terms,
      units,
      coverage,
      proximity,
      adjacency,
      heading,
      language,
      prior: one.document.prior,
      document,
      neighbours,
    };
    return { scored: one, score: one.own + document + neighbours, explanation };
  });
  ranked.sort((a, b) => b.score - a.score || a.scored.chunk.id - b.scored.chunk.id);
  const copies = new Map<string, number>();
  const kept: RankedChunk[] = [];
  const repeated: RankedChunk[] = [];
  for (const one of ranked) {
    const text = one.scored.text.text;
    const seen = copies.get(text) ?? 0;
    copies.set(text, seen + 1);
    (seen < mostCopies ? kept : repeated).push(one);
  }
  return [...kept, ...repeated];
}
