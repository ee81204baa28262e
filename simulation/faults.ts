import type { Clock } from '../src/messaging/clock.ts';
import { isServant } from '../src/protocol/roster.ts';
import type { Appendfsync } from './durable-store.ts';
import type { SimulatedManager } from './manager.ts';
import type { Network, Weather } from './network.ts';
import type { Random } from './random.ts';
import type { Trace } from './trace.ts';

/** How a run is treated; drawn from its seed. Means are between two faults of the same kind, in virtual ms. */
export interface Climate extends Weather {
  /** From when on nothing bad happens any more. */
  readonly untilMs: number;
  readonly crashMeanMs: number;
  readonly drainMeanMs: number;
  readonly partitionMeanMs: number;
  readonly partitionMs: number;
  readonly stallMeanMs: number;
  readonly outageMeanMs: number;
  readonly outageMs: number;
  readonly powerMeanMs: number;
  readonly flushMeanMs: number;
  readonly appendfsync: Appendfsync;
  /** Messages that an edge holds. */
  readonly edgeLimit: number;
  /** Tries at a message before it is given up. */
  readonly attempts: number;
  /** That a handler fails which has done nothing wrong. */
  readonly handlerFault: number;
  /** That a handler tries what it may not. */
  readonly trespass: number;
  readonly auditorMeanMs: number;
  /** How many messages are handled before one that kills whoever handles it; `null` for none. */
  readonly poisonAfter: number | null;
}

/** High enough that chance alone kills no message: a process that dies counts against what it was handling. */
export const manyAttempts = 25;
const usualEdgeLimit = 10_000;

/** Draws how unkind a run is; some are calm. */
export function randomClimate(random: Random): Climate {
  const kind = random.chance(0.1) ? 0 : random.between(0.2, 1);
  const rate = (probability: number) => (random.chance(0.7) ? kind * random.next() * probability : 0);
  const appendfsync = random.chance(0.2) ? 'everysec' : 'always';
  const mortal = random.chance(0.15);
  const mean = (ms: number) => (kind === 0 || random.chance(0.25) ? Infinity : ms / kind);
  return {
    untilMs: random.whole(5_000, 20_000),
    delayMs: random.between(0.3, 6),
    slow: rate(0.05),
    lostRequest: rate(0.04),
    lostAnswer: rate(0.04),
    lateCommit: rate(0.03),
    repeatedCommit: rate(0.03),
    crashAtCommit: rate(0.02),
    crashMeanMs: mean(800),
    drainMeanMs: mean(8_000),
    partitionMeanMs: mean(2_500),
    partitionMs: random.whole(500, 6_000),
    stallMeanMs: mean(2_500),
    outageMeanMs: mean(12_000),
    outageMs: random.whole(300, 5_000),
    powerMeanMs: mean(4_000),
    appendfsync,
    // Where nothing may be lost nobody throws it away either.
    flushMeanMs: appendfsync === 'everysec' ? mean(12_000) : Infinity,
    edgeLimit: random.chance(0.4) ? random.whole(2, 10) : usualEdgeLimit,
    attempts: mortal ? random.whole(2, 4) : manyAttempts,
    handlerFault: mortal ? random.between(0.05, 0.3) : rate(0.05),
    trespass: rate(0.1),
    auditorMeanMs: mean(2_000),
    poisonAfter: random.chance(0.1) ? random.whole(0, 60) : null,
  };
}

const drainMs = 1_500;
/** A process that stands still for longer is killed by its manager, long before its lease ends. */
const longestStallMs = 1_200;

/** Makes bad things happen until their time is over, then lets the network be calm. */
export function causeFaults(options: {
  clock: Clock;
  random: Random;
  trace: Trace;
  climate: Climate;
  network: Network;
  manager: SimulatedManager;
  onPowerLoss: () => void;
  onFlush: () => void;
}): void {
  const { onPowerLoss, onFlush, clock, random, trace, climate, network, manager } = options;
  const end = clock.now() + climate.untilMs;
  const often = (meanMs: number, cause: () => void) => {
    if (!Number.isFinite(meanMs)) return;
    const at = random.exponential(meanMs);
    if (clock.now() + at >= end) return;
    clock.setTimer(at, () => {
      cause();
      often(meanMs, cause);
    });
  };
  const idle = new Set(['rag_sage', 'elder_council']);
  const busy = manager.names.filter((name) => !idle.has(name));
  const servants = manager.names.filter(isServant);
  // Those who have nothing to do yet are struck rarely, those who run commands often.
  const victim = () =>
    random.pick(random.chance(0.35) ? servants : random.chance(0.9) ? busy : manager.names);
  const mayReplace = (name: string, absentMs: number) => {
    // A servant is never replaced while it lives: its manager kills it first, on the same machine.
    if (isServant(name) || !random.chance(0.6)) return;
    clock.setTimer(absentMs * random.next(), () => manager.replace(name));
  };
  often(climate.crashMeanMs, () => manager.crash(victim()));
  often(climate.drainMeanMs, () => manager.drain(victim(), drainMs));
  often(climate.stallMeanMs, () => {
    const name = victim();
    const ms = random.between(20, longestStallMs);
    trace.note(`${name} stands still for ${Math.round(ms)} ms`);
    manager.stall(name, ms);
    mayReplace(name, ms);
  });
  often(climate.partitionMeanMs, () => {
    const name = victim();
    const ms = random.exponential(climate.partitionMs);
    trace.note(`${name} is cut off for ${Math.round(ms)} ms`);
    network.cut(ms, name);
    mayReplace(name, ms);
  });
  often(climate.outageMeanMs, () => {
    const ms = random.exponential(climate.outageMs);
    trace.note(`the store is away for ${Math.round(ms)} ms`);
    network.cut(ms);
  });
  often(climate.powerMeanMs, () => {
    const ms = random.exponential(climate.outageMs);
    trace.note(`the store loses its power for ${Math.round(ms)} ms`);
    network.cut(ms);
    onPowerLoss();
  });
  often(climate.flushMeanMs, onFlush);
  clock.setTimer(climate.untilMs, () => network.calm());
}
