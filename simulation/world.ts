import type { AskAnswer } from '../src/gateway/gateway-core.ts';
import { MemoryStore } from '../src/messaging/memory/memory-store.ts';
import { configSchema } from '../src/protocol/config.ts';
import { servantSpec } from '../src/protocol/roster.ts';
import { check } from './checker.ts';
import { Executions } from './executions.ts';
import { causeFaults, randomClimate } from './faults.ts';
import { type GuardName, storeGuards } from './guards.ts';
import { SimulatedHuman } from './human.ts';
import { SimulatedManager } from './manager.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import { StoreView } from './store-view.ts';
import { Trace } from './trace.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What one seed led to. */
export interface RunResult {
  readonly seed: number;
  /** What broke a guarantee; empty when all was kept. */
  readonly violations: readonly string[];
  /** Equal runs have equal hashes. */
  readonly traceHash: string;
  readonly virtualMs: number;
  readonly steps: number;
  readonly restarts: number;
  readonly directives: number;
  readonly tasks: number;
  readonly executions: number;
}

interface RunOptions {
  readonly seed: number;
  readonly guardOff?: GuardName | null;
  readonly print?: (line: string) => void;
}

const limitMs = 900_000;
/** Virtual time between two looks whether all is done. */
const lookMs = 250;
/** What may still come after all seems done, such as the second report of a lease that was given up. */
const aftermathMs = 15_000;

const config = configSchema.parse({
  tasks: { lease: '2s', retryDelay: '200ms', killGrace: '300ms' },
  supervision: { livenessDeadline: '1s' },
});

/** Runs the whole tree in this process through one seed and checks what it guarantees. */
export async function simulate({ seed, guardOff = null, print }: RunOptions): Promise<RunResult> {
  const clock = new VirtualClock();
  const startedAt = clock.now();
  const random = new Random(seed);
  const trace = new Trace(clock, print ?? null);
  const { edgeLimit } = config.messages;
  // Nothing is ever trimmed, so that the checker sees every message.
  const store = new MemoryStore({ clock, edgeLimit, retain: 1e9, guards: storeGuards(guardOff) });
  const executions = new Executions(clock, trace);
  const servants = Array.from({ length: random.whole(1, 4) }, (_, index) => servantSpec(index + 1).name);
  const climate = randomClimate(random);
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `m${ids}`;
  };
  const network = new Network({
    clock,
    random,
    trace,
    weather: climate,
    crash: (incarnation, reason) => {
      const process = manager.process(incarnation.name);
      if (process?.incarnation === incarnation) process.crash(`is killed ${reason}`);
      else incarnation.end();
    },
  });
  const manager = new SimulatedManager({
    clock,
    random,
    trace,
    store,
    network,
    executions,
    config,
    servants,
    guardOff,
    newId,
    onAnswer: ({ key, answer }) => human.hear(key, answer as AskAnswer),
  });
  const human = new SimulatedHuman({
    clock,
    random,
    trace,
    gateway: () => manager.process('grand_elder')?.agent('gateway'),
  });
  const view = new StoreView(store, manager.names);
  const violations: string[] = [];
  let steps = 0;
  const goOn = async (until: number): Promise<void> => {
    let looking = false;
    clock.setTimer(until - clock.now(), () => {
      looking = true;
    });
    while (!looking) {
      steps += 1;
      await clock.step();
    }
  };

  manager.startAll();
  human.begin(random.whole(1, 3), 4_000);
  causeFaults({ clock, random, trace, climate, network, manager });
  await goOn(startedAt + climate.untilMs);
  const done = () =>
    human.satisfied && manager.complete && executions.running === 0 && view.allHandled() && view.allEnded();
  while (!done() && clock.now() - startedAt < limitMs) await goOn(clock.now() + lookMs);
  if (!done()) violations.push(`not done after ${limitMs} ms: ${view.unfinished().join(', ')}`);
  else await goOn(clock.now() + aftermathMs);
  const submissions = human.submissions;
  violations.push(...executions.violations, ...check({ view, submissions, executions: executions.all }));
  return {
    seed,
    violations,
    traceHash: trace.digest(),
    virtualMs: Math.round(clock.now() - startedAt),
    steps,
    restarts: manager.restarts,
    directives: submissions.length,
    tasks: submissions.reduce((sum, { spec }) => sum + spec.tasks.length, 0),
    executions: executions.all.length,
  };
}
