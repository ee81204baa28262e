import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Action } from '../protocol/actions.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { LightHistogram } from './light-histogram.ts';

/** What became of one try at a message; `late` is a reply that nobody waited for any more. */
export type MessageOutcome = 'acted' | 'late' | 'retried' | 'dead';
/** What became of a commit; `unknown` means that its answer was lost. */
export type CommitOutcome = 'ok' | 'fenced' | 'stale' | 'full' | 'unknown';

/** The metrics of one process. Labels take their values from tables only: what a sender may choose is no label. */
export interface Metrics {
  /** Counts one try at a message; `unreadable` stands for an entry whose action is not in the table. */
  messageHandled(action: Action | 'unreadable', outcome: MessageOutcome): void;
  /** Records one commit: how long it took in seconds and how many messages it handled. */
  committed(outcome: CommitOutcome, seconds: number, messages: number): void;
  /** Counts one dead letter by the code of its last error. */
  deadLetter(code: ErrorCode): void;
  /** Records the seconds between reading a message and the commit that handled it. */
  readToCommit(seconds: number): void;
  setRedisConnected(connected: boolean): void;
  setReady(ready: boolean): void;
  /** Gives all metrics in the text format of Prometheus. */
  text(): Promise<string>;
  /** Media type of `text()`. */
  readonly contentType: string;
  /** Where a layer registers metrics of its own; names begin with `elders_`. */
  readonly registry: Registry;
}

const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const countBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Makes the metrics of a process in a registry of their own, with those of Node and of the operating system. */
export function createMetrics(identity: { readonly name: string; readonly role: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ elder: identity.name, role: identity.role });
  const registers = [registry];
  collectProcessMetrics(registry);

  // Counted for each message, so the library is told only when somebody asks.
  const handled = new Map<string, Map<MessageOutcome, number>>();
  new Counter({
    name: 'elders_messages_handled_total',
    help: 'Tries at messages, by action and by what became of them.',
    labelNames: ['action', 'outcome'],
    registers,
    collect() {
      for (const [action, outcomes] of handled) {
        for (const [outcome, count] of outcomes) this.inc({ action, outcome }, count);
      }
      handled.clear();
    },
  });
  const commits = new Counter({
    name: 'elders_commits_total',
    help: 'Commits, by the answer of Redis.',
    labelNames: ['outcome'],
    registers,
  });
  const commitSeconds = new Histogram({
    name: 'elders_commit_duration_seconds',
    help: 'Time from sending a commit to its answer.',
    buckets: secondsBuckets,
    registers,
  });
  const commitMessages = new Histogram({
    name: 'elders_commit_messages',
    help: 'Messages handled by one commit.',
    buckets: countBuckets,
    registers,
  });
  const deadLetters = new Counter({
    name: 'elders_dead_letters_total',
    help: 'Messages given up, by the code of their last error.',
    labelNames: ['code'],
    registers,
  });
  const readToCommit = new LightHistogram({
    name: 'elders_read_to_commit_seconds',
    help: 'Time from reading a message to the commit that handled it.',
    buckets: secondsBuckets,
    registry,
  });
  const redisConnected = new Gauge({
    name: 'elders_redis_connected',
    help: '1 while the connections to Redis stand, else 0.',
    registers,
  });
  const ready = new Gauge({
    name: 'elders_ready',
    help: '1 while the process can serve, else 0.',
    registers,
  });

  return {
    messageHandled: (action, outcome) => {
      let outcomes = handled.get(action);
      if (!outcomes) {
        outcomes = new Map();
        handled.set(action, outcomes);
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    },
    committed: (outcome, seconds, count) => {
      commits.inc({ outcome });
      commitSeconds.observe(seconds);
      commitMessages.observe(count);
    },
    deadLetter: (code) => deadLetters.inc({ code }),
    readToCommit: (seconds) => readToCommit.observe(seconds),
    setRedisConnected: (connected) => redisConnected.set(connected ? 1 : 0),
    setReady: (state) => ready.set(state ? 1 : 0),
    text: () => registry.metrics(),
    contentType: registry.contentType,
    registry,
  };
}

const hourMs = 3_600_000;

function collectProcessMetrics(registry: Registry): void {
  // The library measures the lag of the event loop with a timer that wakes an idle process 100 times a second,
  // 1 % of a core for each of a dozen processes, and reports its own interval as lag. So the timer is put off
  // for ever and the share of time that the loop was busy, which costs nothing, stands in its place.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: hourMs });
  for (const { name } of registry.getMetricsAsArray()) {
    if (name.startsWith('nodejs_eventloop_lag')) registry.removeSingleMetric(name);
  }
  let last = performance.eventLoopUtilization();
  new Gauge({
    name: 'elders_event_loop_utilization_ratio',
    help: 'Share of the time since the last look, 0 to 1, in which the event loop was busy.',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    },
  });
}
