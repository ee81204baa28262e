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
  /** Gives all metrics in the text format of Prometheus, and the media type of that. */
  text(): Promise<{ readonly type: string; readonly text: string }>;
}

/** What a process has counted so far. */
export interface Counts {
  readonly handled: ReadonlyMap<string, ReadonlyMap<MessageOutcome, number>>;
  readonly commits: ReadonlyMap<CommitOutcome, number>;
  readonly deadLetters: ReadonlyMap<ErrorCode, number>;
  readonly histograms: readonly LightHistogram[];
  readonly redisConnected: boolean;
  readonly ready: boolean;
}

const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const countBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/**
 * Makes the metrics of a process, with those of Node and of the operating system. The library that writes them is
 * loaded when somebody asks for the first time: it would be a tenth of an idle elder, and of its start.
 */
export function createMetrics(identity: { readonly name: string; readonly role: string }): Metrics {
  const handled = new Map<string, Map<MessageOutcome, number>>();
  const commits = new Map<CommitOutcome, number>();
  const deadLetters = new Map<ErrorCode, number>();
  const commitSeconds = new LightHistogram({
    name: 'elders_commit_duration_seconds',
    help: 'Time from sending a commit to its answer.',
    buckets: secondsBuckets,
  });
  const commitMessages = new LightHistogram({
    name: 'elders_commit_messages',
    help: 'Messages handled by one commit.',
    buckets: countBuckets,
  });
  const readToCommit = new LightHistogram({
    name: 'elders_read_to_commit_seconds',
    help: 'Time from reading a message to the commit that handled it.',
    buckets: secondsBuckets,
  });
  const histograms = [commitSeconds, commitMessages, readToCommit];
  const counts = { handled, commits, deadLetters, histograms, redisConnected: false, ready: false };
  let writer: Promise<() => Promise<{ type: string; text: string }>> | undefined;
  return {
    messageHandled: (action, outcome) => {
      let outcomes = handled.get(action);
      if (!outcomes) {
        outcomes = new Map();
        handled.set(action, outcomes);
      }
      count(outcomes, outcome);
    },
    committed: (outcome, seconds, messages) => {
      count(commits, outcome);
      commitSeconds.observe(seconds);
      commitMessages.observe(messages);
    },
    deadLetter: (code) => count(deadLetters, code),
    readToCommit: (seconds) => readToCommit.observe(seconds),
    setRedisConnected: (connected) => {
      counts.redisConnected = connected;
    },
    setReady: (ready) => {
      counts.ready = ready;
    },
    text: async () => {
      writer ??= import('./prometheus-text.ts').then(({ prometheusText }) =>
        prometheusText(identity, counts),
      );
      return (await writer)();
    },
  };
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
