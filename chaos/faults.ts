import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../simulation/random.ts';
import type { ChaosRedis } from './chaos-redis.ts';
import type { ElderProcess } from './elder-process.ts';
import type { ElderSlot } from './elder-slot.ts';
import type { Affected, Recovery } from './recovery.ts';
import { consumers, flows, producers } from './topology.ts';

/** What the faults work on. */
export interface Ground {
  readonly redis: ChaosRedis;
  readonly slots: ReadonlyMap<string, ElderSlot>;
  readonly random: Random;
  readonly recovery: Recovery;
  /** How long a process that was replaced may live on after it was woken, before it counts as not fenced, in ms. */
  readonly fencingLimitMs: number;
  /** Told of a replaced process that was not told so. */
  readonly onUnfenced: (name: string, how: string) => void;
  readonly say: (text: string) => void;
}

/** A fault that was made: since when, and who has to be seen at work again. */
interface Wound {
  readonly victim: string;
  readonly since: number;
  readonly affected: Affected;
  /** What is left to do once the work goes on again. */
  readonly aftermath?: () => Promise<void>;
}

const everybody: Affected = { producers, consumers };

/** What shows that somebody has taken the place of this process. */
function successorOf({ name, maker }: ElderProcess['order']): Affected {
  const newerThan = maker;
  return producers.includes(name) ? { producers: [name], newerThan } : { consumers: [name], newerThan };
}

/** Everybody whose messages pass through this elder: those made after the fault show that it works again. */
function throughput(name: string): Affected {
  const through = flows.filter(({ source, target }) => source === name || target === name);
  return { producers: through.map(({ source }) => source) };
}

function slotOf(ground: Ground, names: readonly string[]): ElderSlot {
  const slot = ground.slots.get(ground.random.pick(names));
  if (!slot) throw new Error('no such slot');
  return slot;
}

function kill(ground: Ground, names: readonly string[]): Wound {
  const slot = slotOf(ground, names);
  const { order } = slot.current;
  const since = Date.now();
  slot.kill();
  return { victim: slot.name, since, affected: successorOf(order) };
}

/** Cuts every connection of one elder after its way to Redis was in some state for a while. */
async function cut(
  ground: Ground,
  before: ((slot: ElderSlot) => void) | null,
  forMs: readonly [number, number],
): Promise<Wound> {
  const slot = slotOf(ground, [...producers, ...consumers]);
  const since = Date.now();
  before?.(slot);
  if (before) await delay(ground.random.whole(...forMs));
  slot.proxy.cut();
  return { victim: slot.name, since, affected: throughput(slot.name) };
}

async function pause(ground: Ground): Promise<Wound> {
  const slot = slotOf(ground, [...producers, ...consumers]);
  const since = Date.now();
  const process = slot.current;
  process.signal('SIGSTOP');
  await delay(ground.random.whole(200, 800));
  process.signal('SIGCONT');
  return { victim: slot.name, since, affected: throughput(slot.name) };
}

/** Expects a replaced process to be told so and to end; what lives on is killed after a while. */
async function expectFenced(ground: Ground, process: ElderProcess, how: string): Promise<void> {
  const fenced = await Promise.race([process.ended, delay(ground.fencingLimitMs, null, { ref: false })]);
  if (fenced?.code === 'fenced') return;
  ground.onUnfenced(process.order.name, fenced ? `${how}: ended by ${fenced.code}` : `${how}: went on`);
  process.signal('SIGKILL');
  await process.ended;
}

/** Freezes a process, replaces it as if it were dead, and wakes it while its successor starts or works. */
async function zombie(ground: Ground, names: readonly string[]): Promise<Wound> {
  const slot = slotOf(ground, names);
  const old = slot.current;
  const since = Date.now();
  old.signal('SIGSTOP');
  const successor = await slot.replace();
  const early = ground.random.chance(0.5);
  if (!early) await Promise.race([successor.started, successor.ended]);
  const woken = early ? wake(ground, old) : null;
  return {
    victim: slot.name,
    since,
    affected: successorOf(old.order),
    aftermath: () => woken ?? wake(ground, old),
  };
}

function wake(ground: Ground, process: ElderProcess): Promise<void> {
  process.signal('SIGCONT');
  return expectFenced(ground, process, 'a frozen process that was replaced');
}

/** Kills a process and, when its successor works, starts another one with the credential of the dead. */
async function revenant(ground: Ground): Promise<Wound> {
  const slot = slotOf(ground, [...producers, ...consumers]);
  const { order } = slot.current;
  const since = Date.now();
  slot.kill();
  return {
    victim: slot.name,
    since,
    affected: successorOf(order),
    aftermath: () =>
      expectFenced(ground, slot.revive(order.credential), 'a process with the credential of a replaced one'),
  };
}

async function killRedis(ground: Ground, powerCut: boolean): Promise<Wound> {
  const since = Date.now();
  const downMs = ground.random.chance(0.3) ? ground.random.whole(500, 2_500) : 0;
  const lost = await ground.redis.killAndRestart({ powerCut, meanwhile: () => delay(downMs) });
  if (powerCut) ground.say(`  ${lost} bytes of the append-only file were not synced and are gone`);
  return { victim: 'redis', since, affected: everybody };
}

async function killAll(ground: Ground): Promise<Wound> {
  const since = Date.now();
  for (const slot of ground.slots.values()) slot.kill();
  await ground.redis.killAndRestart({ powerCut: false });
  return { victim: 'everybody', since, affected: everybody };
}

/** Several blows at once, so that they hit what is still recovering from another. */
async function storm(ground: Ground): Promise<Wound> {
  const { random, redis, slots } = ground;
  const redisKill = delay(random.whole(0, 300)).then(() => redis.killAndRestart({ powerCut: false }));
  const blows = [...slots.values()].map(async (slot) => {
    await delay(random.whole(0, 400));
    if (random.chance(0.7)) slot.kill();
    await delay(random.whole(0, 400));
    slot.proxy.cut();
  });
  await Promise.all([redisKill, ...blows]);
  return { victim: 'everybody', since: Date.now(), affected: everybody };
}

/** Every kind of fault; `power-cut` is for a Redis that does not sync always. */
export const faultTable = {
  'kill-producer': async (ground) => kill(ground, producers),
  'kill-consumer': async (ground) => kill(ground, consumers),
  'kill-redis': (ground) => killRedis(ground, false),
  'kill-all': killAll,
  storm,
  cut: (ground) => cut(ground, null, [0, 0]),
  'lost-answers': (ground) => cut(ground, (slot) => slot.proxy.holdAnswers(), [50, 400]),
  freeze: (ground) => cut(ground, (slot) => slot.proxy.goDeaf(), [200, 1_500]),
  pause,
  'zombie-producer': (ground) => zombie(ground, producers),
  'zombie-consumer': (ground) => zombie(ground, consumers),
  revenant,
  'power-cut': (ground) => killRedis(ground, true),
} as const satisfies Readonly<Record<string, (ground: Ground) => Promise<Wound>>>;
export type FaultKind = keyof typeof faultTable;
export const faultKinds = Object.keys(faultTable) as FaultKind[];

/** Makes one fault and waits until the work goes on; gives how long that took, `null` when it did not. */
export async function makeFault(ground: Ground, kind: FaultKind, limitMs: number): Promise<number | null> {
  const wound = await faultTable[kind](ground);
  const tookMs = await ground.recovery.after(wound.since, wound.affected, limitMs);
  ground.say(`${kind} (${wound.victim}): ${tookMs === null ? 'no recovery' : `${tookMs} ms`}`);
  await wound.aftermath?.();
  return tookMs;
}
