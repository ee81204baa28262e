import { asElderError, type ElderError } from '../protocol/errors.ts';
import type { EdgeKey } from '../protocol/keys.ts';
import { readWindow } from '../protocol/lanes.ts';
import type { AgentOptions } from './agent-options.ts';
import type { Inbox } from './inbox.ts';

const blockingReadMs = 5_000;

/** The read under way, or the pause after one that failed. */
interface Reading {
  readonly cursors: ReadonlyMap<EdgeKey, string>;
  readonly abort: AbortController;
}

/** Fills the inbox of an elder from its edges, one read after another. */
export class EdgeReader {
  readonly inbox: Inbox;
  readonly #options: Pick<AgentOptions, 'broker' | 'clock' | 'observer' | 'log'>;
  readonly #onChange: () => void;
  #reading: Reading | null = null;
  #failures = 0;
  #failure: ElderError | null = null;
  #isBack = false;

  /** `onChange` is called when a read has ended, whatever came of it. */
  constructor(
    options: Pick<AgentOptions, 'broker' | 'clock' | 'observer' | 'log'>,
    inbox: Inbox,
    onChange: () => void,
  ) {
    this.#options = options;
    this.inbox = inbox;
    this.#onChange = onChange;
  }

  /** Why this incarnation must not go on, or `null`. */
  get failure(): ElderError | null {
    return this.#failure;
  }

  /** Whether Redis was away and answers again; says so once. */
  takeReturn(): boolean {
    const isBack = this.#isBack;
    this.#isBack = false;
    return isBack;
  }

  /** Ends the read under way. */
  stop(): void {
    this.#reading?.abort.abort();
  }

  /** Keeps one read under way; it is dropped, which loses nothing, when it leaves out an edge that has room again. */
  keepReading(): void {
    if (this.#reading) {
      const outdated = this.inbox.wantedCount > this.#reading.cursors.size;
      if (!outdated) return;
      this.#reading.abort.abort();
      this.#reading = null;
    }
    const wanted = this.inbox.wanted();
    if (wanted.size === 0) return;
    const { broker, clock, observer, log } = this.#options;
    const reading: Reading = { cursors: wanted, abort: new AbortController() };
    this.#reading = reading;
    const saturated = wanted.size < this.inbox.edgeCount && this.inbox.hasWork(clock.now());
    const options = {
      count: readWindow,
      waitMs: saturated ? 0 : blockingReadMs,
      signal: reading.abort.signal,
    };
    const done = (error: unknown) => {
      if (this.#reading !== reading) return;
      if (!error) {
        if (this.#failures > 0) {
          this.#isBack = true;
          observer?.onBlocked?.('read', null);
        }
        this.#failures = 0;
        this.#reading = null;
        this.#onChange();
        return;
      }
      this.#onFailure(reading, asElderError(error));
    };
    broker.read(wanted, options).then((entries) => {
      if (this.#reading !== reading) return;
      for (const gap of this.inbox.add(entries, clock.now())) {
        log.warn(gap, 'entries are missing: Redis has lost data');
        observer?.onDataLost?.(`${gap.edge}: entry ${gap.expected} is due, ${gap.found} came`);
      }
      done(null);
    }, done);
  }

  #onFailure(reading: Reading, error: ElderError): void {
    if (error.code !== 'redis_unreachable' && error.code !== 'redis_refused') {
      this.#failure = error;
      this.#onChange();
      return;
    }
    this.#options.observer?.onBlocked?.('read', error);
    this.#failures += 1;
    const waitMs = Math.min(1_000, 20 * 2 ** Math.min(this.#failures, 6));
    this.#options.clock.setTimer(waitMs, () => {
      if (this.#reading !== reading) return;
      this.#reading = null;
      this.#onChange();
    });
  }
}
