import { Random } from '../simulation/random.ts';
import { decodeMessage } from '../src/messaging/codec.ts';
import type { DecodeMessage } from './reader.ts';
import { Servers } from './servers.ts';
import { type Target, targets } from './targets.ts';

/** A failure and the seed that makes it again as the first input. */
interface Failure {
  readonly seed: number;
  readonly target: string;
  readonly error: string;
}

/** What a run has found. */
export interface FuzzReport {
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly byTarget: Record<string, { inputs: number; accepted: number }>;
  /** No more than the first hundred. */
  readonly failures: readonly Failure[];
}

const mostFailures = 100;

function choose(all: readonly Target[], random: Random): Target {
  let at = random.between(
    0,
    all.reduce((sum, { share }) => sum + share, 0),
  );
  for (const target of all) {
    at -= target.share;
    if (at < 0) return target;
  }
  return all[0] as Target;
}

/** Feeds made-up inputs to everything that reads what others wrote. Input number n is made from `seed` + n alone. */
export async function fuzz(options: {
  readonly inputs: number;
  readonly seed: number;
  readonly decode?: DecodeMessage;
  readonly onProgress?: (done: number) => void;
}): Promise<FuzzReport> {
  const { inputs, seed, decode = decodeMessage, onProgress } = options;
  const servers = await Servers.open();
  const all = targets(decode, servers);
  const byTarget: FuzzReport['byTarget'] = {};
  for (const { name } of all) byTarget[name] = { inputs: 0, accepted: 0 };
  const failures: Failure[] = [];
  let accepted = 0;
  for (let index = 0; index < inputs && failures.length < mostFailures; index += 1) {
    const random = new Random(seed + index);
    const target = choose(all, random);
    const tally = byTarget[target.name] as { inputs: number; accepted: number };
    tally.inputs += 1;
    try {
      const outcome = target.run(random);
      const taken = typeof outcome === 'boolean' ? outcome : await outcome;
      if (taken) {
        accepted += 1;
        tally.accepted += 1;
      }
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      failures.push({ seed: seed + index, target: target.name, error: text.slice(0, 3_000) });
    }
    if ((index + 1) % 50_000 === 0) onProgress?.(index + 1);
  }
  await servers.close();
  const done = Object.values(byTarget).reduce((sum, tally) => sum + tally.inputs, 0);
  return { inputs: done, accepted, refused: done - accepted - failures.length, byTarget, failures };
}
