import type { LaneEvidence } from './evidence.ts';
import type { Run } from './intent.ts';

/** What the checker found; all but `acknowledged`, `effects` and `dead` have to be 0. */
export interface Verdict {
  /** Messages whose sender was told that they are durable. */
  acknowledged: number;
  /** Messages that had their effect. */
  effects: number;
  /** Given up with an error, which is an honest end too. */
  dead: number;
  /** Acknowledged, or counted by the sender's state, and neither acted on nor dead. */
  lost: number;
  /** Effects that a consumer was told are durable and that are not in its state. */
  lostEffects: number;
  /** Effects beyond the first of a message, in the state or outside. */
  duplicates: number;
  /** Effects that came after one of a later message of the same edge and lane. */
  orderViolations: number;
  /** Lanes in which the broker's own counts do not fit the messages. */
  miscounted: number;
}

export const nothingFound: Readonly<Verdict> = {
  acknowledged: 0,
  effects: 0,
  dead: 0,
  lost: 0,
  lostEffects: 0,
  duplicates: 0,
  orderViolations: 0,
  miscounted: 0,
};

/** How often something was done for each message; the message is told by maker and number. */
class Tally {
  /** Makers by number: the same number may have been made by several. */
  readonly #makers = new Map<number, number[]>();
  total = 0;

  constructor(runs: readonly Run[]) {
    for (const [maker, from, to] of runs) {
      for (let n = from; n <= to; n += 1) {
        const makers = this.#makers.get(n);
        if (makers) makers.push(maker);
        else this.#makers.set(n, [maker]);
        this.total += 1;
      }
    }
  }

  count(n: number): number {
    return this.#makers.get(n)?.length ?? 0;
  }

  has(maker: number, n: number): boolean {
    return this.#makers.get(n)?.includes(maker) ?? false;
  }

  numbers(): Iterable<number> {
    return this.#makers.keys();
  }

  /** Does something for each message and each time. */
  *each(): Generator<readonly [maker: number, n: number]> {
    for (const [n, makers] of this.#makers) for (const maker of makers) yield [maker, n];
  }

  get distinct(): number {
    return this.#makers.size;
  }

  /** Times beyond the first of the same message by the same maker. */
  repeated(n: number): number {
    const makers = this.#makers.get(n) ?? [];
    return makers.length - new Set(makers).size;
  }
}

function outOfOrder(effects: readonly Run[]): number {
  let violations = 0;
  let highest = 0;
  const seen = new Set<number>();
  for (const [, from, to] of effects) {
    for (let n = from; n <= to; n += 1) {
      if (n < highest && !seen.has(n)) violations += 1;
      seen.add(n);
      highest = Math.max(highest, n);
    }
  }
  return violations;
}

/** Judges one lane of one edge by what was collected, knowing nothing of how it came about. */
export function judgeLane(evidence: LaneEvidence): Verdict {
  const verdict = { ...nothingFound };
  const effects = new Tally(evidence.effects);
  const outside = new Tally(evidence.outside);
  const acknowledged = new Tally(evidence.acknowledged);
  const dead = new Set(evidence.dead);

  verdict.acknowledged = acknowledged.total;
  verdict.effects = effects.distinct;
  verdict.dead = dead.size;
  const missing = new Set<number>();
  for (const [maker, n] of acknowledged.each()) {
    if (effects.has(maker, n) || dead.has(n)) continue;
    missing.add(n);
    verdict.lost += 1;
  }
  for (let n = 1; n <= evidence.counted; n += 1) {
    if (effects.count(n) === 0 && !dead.has(n) && !missing.has(n)) verdict.lost += 1;
  }
  for (const [maker, n] of outside.each()) if (!effects.has(maker, n)) verdict.lostEffects += 1;
  for (const n of effects.numbers()) {
    verdict.duplicates += Math.max(effects.count(n) - 1, outside.repeated(n));
  }
  verdict.orderViolations = outOfOrder(evidence.effects);
  const counts = [evidence.sent, evidence.handled, effects.total + dead.size];
  if (counts.some((count) => count !== evidence.counted)) verdict.miscounted = 1;
  return verdict;
}

/** Judges a whole run. */
export function judge(evidence: readonly LaneEvidence[]): Verdict {
  const total = { ...nothingFound };
  for (const lane of evidence) {
    const verdict = judgeLane(lane);
    for (const key of Object.keys(total) as (keyof Verdict)[]) total[key] += verdict[key];
  }
  return total;
}

/** Whether every guarantee held. */
export function holds({ lost, lostEffects, duplicates, orderViolations, miscounted }: Verdict): boolean {
  return lost + lostEffects + duplicates + orderViolations + miscounted === 0;
}
