import type { Broker, Commit } from '../messaging/broker.ts';
import type { Clock } from '../messaging/clock.ts';
import { asElderError, ElderError } from '../protocol/errors.ts';

const firstWaitMs = 20;
const longestWaitMs = 1_000;

interface CommitterOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told why a commit has to wait, and `null` once it need not any more. */
  readonly onBlocked: (error: ElderError | null) => void;
}

/**
 * Writes commits until each has an answer. One whose answer was lost is sent again unchanged, which is safe:
 * Redis takes a commit number once. A full edge, an unreachable or a refusing Redis make the elder wait.
 */
export class Committer {
  readonly #options: CommitterOptions;
  #number: number;

  constructor(commitNumber: number, options: CommitterOptions) {
    this.#number = commitNumber;
    this.#options = options;
  }

  /** Number of the last commit known to have landed. */
  get number(): number {
    return this.#number;
  }

  /**
   * Resolves once the commit has landed. Throws `fenced` when a newer incarnation writes, `conflict` when
   * Redis is at another commit than it should be (it lost data), `interrupted` on abort.
   */
  async write(content: Omit<Commit, 'number'>, signal: AbortSignal): Promise<void> {
    const commit: Commit = { ...content, number: this.#number + 1 };
    const { onBlocked } = this.#options;
    let blocked = false;
    for (let round = 0; ; round += 1) {
      const obstacle = await this.#attempt(commit);
      if (obstacle === null) break;
      if (!blocked || round % 16 === 0) onBlocked(obstacle);
      blocked = true;
      await this.#wait(round, signal);
    }
    if (blocked) onBlocked(null);
    this.#number = commit.number;
  }

  /** Sends once: `null` when the commit has landed, otherwise what to wait for. */
  async #attempt(commit: Commit): Promise<ElderError | null> {
    try {
      const answer = await this.#options.broker.commit(commit);
      switch (answer.kind) {
        case 'ok':
          return null;
        case 'full':
          return new ElderError('edge_full', `the edge to ${answer.target} (${answer.lane}) is full`);
        case 'fenced':
          throw new ElderError('fenced', `commit ${commit.number} was refused`);
        case 'stale':
          if (answer.number === commit.number) return null;
          throw new ElderError(
            'conflict',
            `Redis is at commit ${answer.number}, this writer at ${commit.number}`,
          );
      }
    } catch (thrown) {
      const error = asElderError(thrown);
      if (error.code === 'redis_unreachable' || error.code === 'redis_refused') return error;
      throw error;
    }
  }

  async #wait(round: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const ceiling = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(round, 10));
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.setTimer(ceiling * (0.5 + random() / 2), resolve);
    const abort = () => resolve();
    signal.addEventListener('abort', abort, { once: true });
    await promise;
    cancel();
    signal.removeEventListener('abort', abort);
    if (signal.aborted)
      throw new ElderError('interrupted', 'the process ends before its commit was answered');
  }
}
