import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RedisCommands } from '../src/messaging/redis/redis-commands.ts';
import { decodeHash } from '../src/messaging/redis/replies.ts';
import { outFieldPrefix } from '../src/messaging/reserved-fields.ts';
import { treeKeys } from '../src/protocol/keys.ts';
import type { DeadLetter } from '../src/protocol/local-api.ts';
import { chaosLanes, effectTable, intentTable, parseIntent, type Run } from './intent.ts';
import { flows } from './topology.ts';

/** All that is known of one lane of one edge when the run is over; nothing of it is judged yet. */
export interface LaneEvidence {
  readonly edge: string;
  /** What producers were told has landed, by their journals. */
  readonly acknowledged: readonly Run[];
  /** The number that the state of the producer has come to. */
  readonly counted: number;
  /** What the state of the consumer has done, in order. */
  readonly effects: readonly Run[];
  /** What consumers wrote down outside Redis after a commit had landed; of each process in order. */
  readonly outside: readonly Run[];
  /** Numbers that the consumer gave up as dead letters. */
  readonly dead: readonly number[];
  /** How many entries the broker counts as sent, and as handled. */
  readonly sent: number;
  readonly handled: number;
}

/** Reads the lines of every file that begins so; a last line that a kill has cut off is left out. */
function* lines(folder: string, prefix: string): Generator<unknown> {
  for (const file of readdirSync(folder).filter((name) => name.startsWith(prefix))) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
      if (line !== '') yield { ...JSON.parse(line), maker: Number(file.split('.').at(-2)) };
    }
  }
}

type AckLine = { readonly maker: number } & { readonly [lane: string]: readonly [number, number] };
type EffectLine = { readonly effects: { readonly [edge: string]: readonly Run[] } };

function acknowledged(folder: string, source: string, lane: string): Run[] {
  const runs: Run[] = [];
  for (const line of lines(folder, `acknowledged.${source}.`) as Generator<AckLine>) {
    const range = line[lane];
    if (range) runs.push([line.maker, ...range]);
  }
  return runs;
}

/** Puts the rows of a history together, by their numbers. */
function history(state: ReadonlyMap<string, string>, edge: string): Run[] {
  const runs: Run[] = [];
  for (let row = 1; ; row += 1) {
    const text = state.get(`${effectTable}/${edge}#${row}`);
    if (text === undefined) return runs;
    runs.push(...(JSON.parse(text) as Run[]));
  }
}

function deadNumbers(state: ReadonlyMap<string, string>, edge: string): number[] {
  const numbers: number[] = [];
  for (const [field, text] of state) {
    if (!field.startsWith('@dead/')) continue;
    const letter = JSON.parse(text) as DeadLetter;
    if (letter.edge !== edge) continue;
    const { payload } = JSON.parse(letter.body) as { payload: { lease?: string; key?: string } };
    numbers.push(parseIntent(payload.lease ?? payload.key ?? '').n);
  }
  return numbers;
}

/** Collects what Redis and the files of a run hold. Nothing may run any more that changes them. */
export async function collectEvidence(
  redis: RedisCommands,
  options: { tree: string; folder: string },
): Promise<LaneEvidence[]> {
  const { tree, folder } = options;
  const keys = treeKeys(tree);
  const hash = async (key: string) => decodeHash(await redis.command(['HGETALL', key]));
  const found: LaneEvidence[] = [];
  for (const { source, target } of flows) {
    const [ofSource, ofTarget] = [await hash(keys.state(source)), await hash(keys.state(target))];
    const positions = await hash(keys.positions(target));
    for (const lane of chaosLanes) {
      const edge = `${source}:${lane}`;
      const outside: Run[] = [];
      for (const line of lines(folder, `effects.${target}.`) as Generator<EffectLine>) {
        outside.push(...(line.effects[edge] ?? []));
      }
      found.push({
        edge,
        acknowledged: acknowledged(folder, source, lane),
        counted: Number(ofSource.get(`${intentTable}/${lane}`) ?? 0),
        effects: history(ofTarget, edge),
        outside,
        dead: deadNumbers(ofTarget, edge),
        sent: Number(ofSource.get(`${outFieldPrefix}${target}:${lane}`) ?? 0),
        handled: Number(positions.get(edge)?.split(' ')[1] ?? 0),
      });
    }
  }
  return found;
}
