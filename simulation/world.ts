import type { AskAnswer } from '../src/gateway/gateway-core.ts';
import { configSchema } from '../src/protocol/config.ts';
import { servantSpec } from '../src/protocol/roster.ts';
import { Alarms } from './alarms.ts';
import { SimulatedAuditor } from './auditor.ts';
import { check } from './checker.ts';
import { type Appendfsync, DurableStore, type LostCommit } from './durable-store.ts';
import { Executions } from './executions.ts';
import { causeFaults, randomClimate } from './faults.ts';
import { type GuardName, provoking, storeGuards } from './guards.ts';
import { SimulatedHuman } from './human.ts';
import { SimulatedManager } from './manager.ts';
import { Network } from './network.ts';
import { SimulatedOperator } from './operator.ts';
import { Poison } from './poison.ts';
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
  /** When the store synced what it was told. */
  readonly appendfsync: Appendfsync;
  /** Commits that the store lost though it had answered them. */
  readonly lostCommits: number;
  readonly alarms: number;
  /** How often a commit found an edge full. */
  readonly fulls: number;
  /** How often a message was given up. */
  readonly deaths: number;
  /** How often a dead letter was handled once more. */
  readonly replays: number;
  /** How often a process died of a message. */
  readonly killed: number;
  /** Lines of the audit log. */
  readonly audited: number;
}

interface RunOptions {
  readonly seed: number;
  readonly guardOff?: GuardName | null;
  /** Makes frequent what this guard is for; usually the one that is off. */
  readonly provoked?: GuardName | null;
  readonly print?: (line: string) => void;
}

const limitMs = 300_000;
/** After a loss some of the work may never be done. */
const lossyLimitMs = 60_000;
/** Virtual time between two looks whether all is done. */
const lookMs = 250;
/** What may still come after all seems done, such as the second report of a lease that was given up. */
const aftermathMs = 15_000;

const config = configSchema.parse({
  tasks: { lease: '2s', retryDelay: '200ms', killGrace: '300ms' },
  supervision: { livenessDeadline: '1s' },
});

/** Runs the whole tree in this process through one seed and checks what it guarantees. */
export async function simulate({
  seed,
  guardOff = null,
  provoked = guardOff,
  print,
}: RunOptions): Promise<RunResult> {
  const clock = new VirtualClock();
  const startedAt = clock.now();
  const random = new Random(seed);
  const trace = new Trace(clock, print ?? null);
  const climate = { ...randomClimate(random), ...(provoked && provoking[provoked]) };
  const { appendfsync, edgeLimit } = climate;
  // Nothing is ever trimmed, so that the checker sees every message.
  const retain = 1e9;
  const store = new DurableStore({
    clock,
    random,
    appendfsync: guardOff === 'sync_before_ack' ? 'everysec' : appendfsync,
    edgeLimit,
    retain,
    guards: storeGuards(guardOff),
  });
  const alarms = new Alarms();
  const executions = new Executions(clock, trace);
  const poison = new Poison(climate.poisonAfter);
  const servants = Array.from({ length: random.whole(1, 4) }, (_, index) => servantSpec(index + 1).name);
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
      else {
        auditor.crash(incarnation, `is killed ${reason}`);
        incarnation.end();
      }
    },
  });
  const manager = new SimulatedManager({
    clock,
    random,
    startedAt,
    trace,
    store,
    climate,
    network,
    executions,
    poison,
    config,
    servants,
    guardOff,
    newId,
    notes: new Map(),
    onLostCommit: (commit) => alarms.lost([commit]),
    onLoss: (name, reason) => {
      trace.note(`alarm: ${name}: ${reason}`);
      alarms.raise(name, reason);
    },
    onAnswer: ({ key, answer }) => human.hear(key, answer as AskAnswer),
  });
  const human = new SimulatedHuman({
    clock,
    random,
    trace,
    gateway: () => manager.process('grand_elder')?.agent('gateway'),
  });
  const view = new StoreView(store, manager.names);
  const operator = new SimulatedOperator({
    clock,
    view,
    gateway: () => manager.process('grand_elder')?.agent('gateway'),
  });
  const auditor = new SimulatedAuditor({
    clock,
    random,
    trace,
    store,
    network,
    sources: view.names,
    crashMeanMs: climate.auditorMeanMs,
    untilAt: startedAt + climate.untilMs,
    remembers: guardOff !== 'audit_once',
  });
  const lose = (all: readonly LostCommit[]) => {
    // What the auditor had read is read again, and its log tells what it holds.
    const lost = all.filter(({ name }) => name !== 'auditor');
    trace.note(`${lost.length} acknowledged commits are lost`);
    alarms.lost(lost);
  };
  const onPowerLoss = () => lose(store.losePower());
  const onFlush = () => lose(store.flush());
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
  operator.begin();
  auditor.begin();
  causeFaults({ clock, random, trace, climate, network, manager, onPowerLoss, onFlush });
  await goOn(startedAt + climate.untilMs);
  const done = () =>
    !network.isCut &&
    human.satisfied &&
    operator.satisfied &&
    manager.complete &&
    executions.running === 0 &&
    view.allHandled() &&
    view.allEnded();
  const lossy = () => appendfsync === 'everysec' && alarms.lostCommits > 0;
  while (!done() && clock.now() - startedAt < (lossy() ? lossyLimitMs : limitMs)) {
    await goOn(clock.now() + lookMs);
  }
  const problems: string[] = [];
  if (done()) await goOn(clock.now() + aftermathMs);
  else problems.push(`not done after ${clock.now() - startedAt} ms: ${view.unfinished().join(', ')}`);
  const submissions = human.submissions;
  const evidence = {
    view,
    submissions,
    executions: executions.all,
    climate,
    keys: human.keys,
    poison,
    audited: auditor.lines,
  };
  problems.push(...executions.violations, ...human.violations, ...check(evidence));
  // A store that syncs once a second may lose what it answered; then all depends on somebody noticing.
  const silent = problems.map((problem) => `without an alarm: ${problem}`);
  const excused = alarms.raised.length > 0 ? [] : silent;
  const violations = [...(lossy() ? excused : problems), ...alarms.missed()];
  const handled = view.handled();
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
    appendfsync,
    lostCommits: alarms.lostCommits,
    alarms: alarms.raised.length,
    fulls: store.fulls,
    deaths: handled.filter(({ x, r }) => x !== undefined && r === undefined).length,
    replays: handled.filter(({ r }) => r !== undefined).length,
    killed: poison.deaths,
    audited: auditor.lines.length,
  };
}
