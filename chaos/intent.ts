import type { Context } from '../src/agents/core.ts';

/** The lanes that producers use. */
export const chaosLanes = ['normal', 'high'] as const;
export type ChaosLane = (typeof chaosLanes)[number];

/**
 * One durable intent: the n-th message of a sender in a lane. The maker is the process that made it, counted by
 * the driver: a message that is made again after its first making was lost has the same number and another maker.
 */
export interface Intent {
  readonly maker: number;
  readonly lane: ChaosLane;
  readonly n: number;
}

/** Consecutive numbers of one maker: maker, first, last. */
export type Run = readonly [maker: number, from: number, to: number];

/** Writes an intent as the text that its message carries. */
export function intentText({ maker, lane, n }: Intent): string {
  return `${maker}.${lane}.${n}`;
}

/** Reads an intent back. Throws when the text is none. */
export function parseIntent(text: string): Intent {
  const [maker, lane, n] = text.split('.');
  const known = chaosLanes.find((candidate) => candidate === lane);
  if (known === undefined) throw new Error(`not an intent: ${text}`);
  return { maker: Number(maker), lane: known, n: Number(n) };
}

/** Adds one more effect to a list of runs, in the order of the effects. */
export function addToRuns(runs: readonly Run[], maker: number, n: number): readonly Run[] {
  const last = runs.at(-1);
  if (last && last[0] === maker && last[2] + 1 === n) return [...runs.slice(0, -1), [maker, last[1], n]];
  return [...runs, [maker, n, n]];
}

/** Table of the consumer's state that holds its effects; see `recordEffect`. */
export const effectTable = 'effects';
/** Table of the producer's state: lane → number of the last intent. */
export const intentTable = 'intents';

/** Runs in one row, so that a long history costs a handler no more than a short one. */
const runsPerRow = 16;

/** Adds an effect to the history of an edge: `EDGE` holds the number of the newest row, `EDGE#NUMBER` the runs. */
export function recordEffect(ctx: Context, edge: string, { maker, n }: Intent): void {
  const newest = ctx.table<number>(effectTable);
  const rows = ctx.table<readonly Run[]>(effectTable);
  const row = newest.get(edge);
  const runs = row === undefined ? [] : (rows.get(`${edge}#${row}`) ?? []);
  const extended = addToRuns(runs, maker, n);
  if (row !== undefined && extended.length <= runsPerRow) {
    rows.put(`${edge}#${row}`, extended);
    return;
  }
  const next = (row ?? 0) + 1;
  newest.put(edge, next);
  rows.put(`${edge}#${next}`, [[maker, n, n]]);
}
