import type { Contestant, Found } from './contestant.ts';
import type { Passage, Question } from './questions.ts';

/** How well one contestant did on some questions, each from 0 to 1. */
export interface Scores {
  readonly questions: number;
  readonly recallAt5: number;
  readonly ndcgAt10: number;
  readonly mrr: number;
}

/** One question's outcome. */
export interface Outcome {
  readonly question: Question;
  /** For each of the first ten results, whether it answers. */
  readonly relevant: readonly boolean[];
  /** Passages that would have been right, of all there are. */
  readonly possible: number;
  readonly ms: number;
}

function overlaps(found: Found, answer: Passage): boolean {
  return found.path === answer.path && found.startLine <= answer.endLine && found.endLine >= answer.startLine;
}

/** Whether a passage shares a line with one that answers the question. */
export function answers(found: Found, question: Question): boolean {
  return question.answers.some((answer) => overlaps(found, answer));
}

/** Asks every question once. `passages` are all there are, for the best possible order. */
export async function ask(
  contestant: Contestant,
  questions: readonly Question[],
  passages: readonly Found[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const question of questions) {
    const start = performance.now();
    const found = await contestant.search(question.question, 10);
    const ms = performance.now() - start;
    const possible = passages.filter((passage) => answers(passage, question)).length;
    outcomes.push({
      question,
      relevant: found.slice(0, 10).map((one) => answers(one, question)),
      possible,
      ms,
    });
  }
  return outcomes;
}

function discounted(relevant: readonly boolean[]): number {
  return relevant.reduce((sum, one, place) => sum + (one ? 1 / Math.log2(place + 2) : 0), 0);
}

/** The mean over some outcomes. Recall is of questions: whether an answer is among the first five. */
export function scoresOf(outcomes: readonly Outcome[]): Scores {
  const mean = (value: (outcome: Outcome) => number) =>
    outcomes.reduce((sum, outcome) => sum + value(outcome), 0) / Math.max(1, outcomes.length);
  return {
    questions: outcomes.length,
    recallAt5: mean(({ relevant }) => (relevant.slice(0, 5).includes(true) ? 1 : 0)),
    ndcgAt10: mean(({ relevant, possible }) => {
      const ideal = discounted(Array.from({ length: Math.min(10, possible) }, () => true));
      return ideal === 0 ? 0 : discounted(relevant) / ideal;
    }),
    mrr: mean(({ relevant }) => {
      const first = relevant.indexOf(true);
      return first === -1 ? 0 : 1 / (first + 1);
    }),
  };
}
