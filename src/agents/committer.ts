import type { Broker, Commit, CommitAnswer } from '../messaging/broker.ts';
import type { Clock } from '../messaging/clock.ts';
import { asElderError, ElderError } from '../protocol/errors.ts';

const firstWaitMs = 20;
const longestWaitMs = 1_000;
/** State field that tells which commit was taken back: the number was used up by a commit without content. */
const voidedField = '@voided/commit';

/** An edge that had no room; nothing was written. */
export type Full = Extract<CommitAnswer, { kind: 'full' }>;

interface CommitterOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told why a commit has to wait, and `null` once it need not any more. */
  readonly onBlocked: (error: ElderError | null) => void;
}

/**
 * Writes commits until each has an answer. One whose answer was lost is sent again unchanged, which is safe:
 * Redis takes a commit number once. An unreachable or a refusing Redis makes the elder wait; a full edge does
 * not, so that it can go on with something else.
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
   * Resolves with `null` once the commit has landed, or with the edge that had no room for it: then nothing of
   * it is written, nor ever will be. Throws `fenced` when a newer incarnation writes, `data_lost` when Redis is
   * at an earlier commit than it was, `conflict` at a later one, `interrupted` on abort.
   */
  async write(content: Omit<Commit, 'number'>, signal: AbortSignal): Promise<Full | null> {
    const commit: Commit = { ...content, number: this.#number + 1 };
    const { answer, doubtful } = await this.#insist(commit, signal);
    if (answer.kind !== 'full') {
      this.#number = commit.number;
      return null;
    }
    if (!doubtful) return answer;
    // An earlier sending may still stand in a dead connection's buffer and find room later.
    return (await this.#void(commit.number, signal)) ? answer : null;
  }

  /** Uses a commit number up without content; `false` when its commit turns out to have landed. */
  async #void(number: number, signal: AbortSignal): Promise<boolean> {
    const nothing = { remove: new Set<string>(), positions: new Map(), send: [], journal: null };
    const commit: Commit = { number, set: new Map([[voidedField, String(number)]]), ...nothing };
    const { answer, doubtful } = await this.#insist(commit, signal);
    this.#number = number;
    if (answer.kind === 'ok') return true;
    if (!doubtful) return false;
    return (await this.#load(signal)).fields.get(voidedField) === String(number);
  }

  async #load(signal: AbortSignal) {
    for (let round = 0; ; round += 1) {
      try {
        return await this.#options.broker.load();
      } catch (error) {
        if (asElderError(error).code !== 'redis_unreachable') throw error;
      }
      await this.#wait(round, signal);
    }
  }

  /** Sends until there is an answer; `doubtful` when the fate of an earlier sending is not known. */
  async #insist(
    commit: Commit,
    signal: AbortSignal,
  ): Promise<{ answer: Exclude<CommitAnswer, { kind: 'fenced' }>; doubtful: boolean }> {
    const { onBlocked } = this.#options;
    let doubtful = false;
    for (let round = 0; ; round += 1) {
      const answer = await this.#attempt(commit);
      if (!(answer instanceof ElderError)) {
        if (round > 0) onBlocked(null);
        return { answer, doubtful };
      }
      doubtful ||= answer.code === 'redis_unreachable';
      if (round % 16 === 0) onBlocked(answer);
      await this.#wait(round, signal);
    }
  }

  /** Sends once: the answer, or the error after which to send again. */
  async #attempt(commit: Commit): Promise<Exclude<CommitAnswer, { kind: 'fenced' }> | ElderError> {
    try {
      const answer = await this.#options.broker.commit(commit);
      if (answer.kind === 'fenced') throw new ElderError('fenced', `commit ${commit.number} was refused`);
      if (answer.kind !== 'stale' || answer.number === commit.number) return answer;
      // Only this incarnation can write, so a lower number is a Redis that went back.
      throw new ElderError(
        answer.number < commit.number ? 'data_lost' : 'conflict',
        `Redis is at commit ${answer.number}, this writer at ${commit.number}`,
      );
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
