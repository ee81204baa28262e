import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../simulation/random.ts';
import type { Config } from '../src/protocol/config.ts';
import { ChaosRedis } from './chaos-redis.ts';
import { holds, judge, type Verdict } from './checker.ts';
import { ElderSlot } from './elder-slot.ts';
import { collectEvidence } from './evidence.ts';
import { type FaultKind, faultKinds, type Ground, makeFault } from './faults.ts';
import type { GuardName } from './guards.ts';
import { Progress } from './progress.ts';
import { Recovery } from './recovery.ts';
import { consumers, producers } from './topology.ts';

export interface ChaosOptions {
  /** The run goes on until so many messages are acknowledged … */
  readonly messages: number;
  /** … and at least so long … */
  readonly seconds: number;
  /** … and until every kind of fault was made so often. */
  readonly rounds: number;
  readonly seed: number;
  readonly appendfsync: Config['appendfsync'];
  /** Messages per second of all producers; `null` is as fast as possible. */
  readonly rate: number | null;
  readonly kinds: readonly FaultKind[];
  readonly guardsOff: readonly GuardName[];
  /** Leaves the folder of the run behind. */
  readonly keep: boolean;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Recovery times of one kind of fault, in ms. */
export interface RecoveryTimes {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface ChaosReport extends Verdict {
  readonly schemaVersion: 1;
  readonly ok: boolean;
  readonly seed: number;
  readonly appendfsync: string;
  readonly guardsOff: readonly string[];
  readonly seconds: number;
  readonly messagesPerSecond: number;
  readonly faults: number;
  /** Faults after which the work did not go on in time. */
  readonly unrecovered: number;
  /** Replaced processes that were not told so. */
  readonly unfenced: number;
  /** Processes that ended though nobody had killed them, by the code they gave. */
  readonly unexpectedEnds: Readonly<Record<string, number>>;
  readonly recovery: RecoveryTimes;
  readonly recoveryByFault: Readonly<Record<string, RecoveryTimes>>;
}

const edgeLimit = 2_000;
const recoveryLimitMs = 120_000;
/** How long the rest of the messages may take without any being handled, in ms. */
const drainLimitMs = 60_000;
const stopDeadlineMs = 10_000;
/** Longest pause between two faults, in ms. */
const longestPauseMs = 600;

/** The faults that a run makes by itself: a power cut only where Redis is told not to sync always. */
export function usualKinds(appendfsync: Config['appendfsync']): FaultKind[] {
  return faultKinds.filter((kind) => kind !== 'power-cut' || appendfsync !== 'always');
}

function times(measured: readonly (number | null)[]): RecoveryTimes {
  const sorted = measured.filter((ms) => ms !== null).sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  return { count: measured.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** Every kind once in a random order, again and again. */
function* shuffled(kinds: readonly FaultKind[], random: Random): Generator<FaultKind> {
  for (;;) {
    const rest = [...kinds];
    while (rest.length > 0) yield* rest.splice(random.whole(0, rest.length - 1), 1);
  }
}

/** Runs real processes on a real Redis through faults, and judges what is left. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { messages, seconds, rounds, seed, appendfsync, rate, kinds, guardsOff, say, signal } = options;
  const project = await mkdtemp(join(tmpdir(), 'chaos-'));
  const evidence = join(project, 'evidence');
  await mkdir(evidence);
  const redis = await ChaosRedis.start({ project, appendfsync, off: guardsOff });
  const slots = new Map<string, ElderSlot>();
  const random = new Random(seed);
  const recovery = new Recovery();
  const progress = new Progress();
  const unexpected: Record<string, number> = {};
  let unfenced = 0;
  let makers = 0;
  let stopped = false;
  const stopAll = async () => {
    if (stopped) return;
    stopped = true;
    await Promise.all([...slots.values()].map((slot) => slot.stop(stopDeadlineMs)));
  };
  try {
    for (const name of [...consumers, ...producers]) {
      const slot = await ElderSlot.open({
        name,
        redis,
        evidence,
        edgeLimit,
        batch: rate === null ? [64, 256] : [8, 32],
        rate: rate === null ? null : rate / producers.length,
        nextMaker: () => {
          makers += 1;
          return makers;
        },
        onMessage: (message, from) => {
          if (message.kind === 'handled') recovery.report(from.order, message);
          progress.note(from.order.name, message);
        },
        onUnexpectedEnd: (victim, { code, reason }) => {
          unexpected[code] = (unexpected[code] ?? 0) + 1;
          say(`  ${victim} ended: ${code} ${reason}`);
        },
      });
      slots.set(name, slot);
    }
    const ground: Ground = {
      redis,
      slots,
      random,
      recovery,
      fencingLimitMs: guardsOff.includes('fencing') ? 1_500 : 60_000,
      say,
      onUnfenced: (name, how) => {
        unfenced += 1;
        say(`  ${name}: ${how}`);
      },
    };
    await recovery.after(Date.now(), { producers }, recoveryLimitMs);
    const began = Date.now();
    const measured = new Map<FaultKind, (number | null)[]>(kinds.map((kind) => [kind, []]));
    const order = shuffled(kinds, random);
    const goesOn = () =>
      progress.acknowledged < messages ||
      Date.now() - began < seconds * 1_000 ||
      [...measured.values()].some((list) => list.length < rounds);
    while (goesOn()) {
      signal.throwIfAborted();
      const kind = order.next().value as FaultKind;
      measured.get(kind)?.push(await makeFault(ground, kind, recoveryLimitMs));
      say(`  ${progress.acknowledged} acknowledged, ${Math.round((Date.now() - began) / 1_000)} s`);
      await delay(random.whole(0, longestPauseMs), undefined, { signal });
    }
    say('no more faults: the rest is sent and handled');
    for (const name of producers) slots.get(name)?.finish();
    const complete = await progress.drained(drainLimitMs);
    if (!complete) say('not everything that was sent was handled');
    const tookMs = Date.now() - began;
    await stopAll();
    const verdict = judge(await collectEvidence(redis.managed.admin, { tree: redis.tree, folder: evidence }));
    const all = [...measured.values()].flat();
    const unrecovered = all.filter((ms) => ms === null).length;
    return {
      schemaVersion: 1,
      ok: holds(verdict) && unfenced === 0 && unrecovered === 0 && complete,
      seed,
      appendfsync,
      guardsOff,
      ...verdict,
      seconds: Math.round(tookMs / 100) / 10,
      messagesPerSecond: Math.round((verdict.effects * 1_000) / tookMs),
      faults: all.length,
      unrecovered,
      unfenced,
      unexpectedEnds: unexpected,
      recovery: times(all),
      recoveryByFault: Object.fromEntries([...measured].map(([kind, list]) => [kind, times(list)])),
    };
  } finally {
    await stopAll();
    await redis.stop();
    if (options.keep) say(`kept: ${project}`);
    else await rm(project, { recursive: true, force: true });
  }
}
