import { asElderError, type ElderError } from '../protocol/errors.ts';
import type { EdgeKey } from '../protocol/keys.ts';
import type { AgentOptions } from './agent-options.ts';
import { type Inbox, type Pace, paces, readAhead } from './inbox.ts';

const blockingReadMs = 5_000;
/** Longest pause between two reads that fail (ms); one for which there is no connection waits for that by itself. */
const longestPauseMs = 250;
/** Entries that can be handled above which there is time for more to gather at Redis: a read of many edges is dear. */
const plenty = 2 * readAhead;

type Options = Pick<AgentOptions, 'broker' | 'clock' | 'observer' | 'log'>;

/** The read under way, or the pause after one that failed. */
interface Reading {
  readonly cursors: ReadonlyMap<EdgeKey, string>;
  readonly abort: AbortController;
}

/** Fills the inbox of an elder from its edges of one pace, one read after another. */
class EdgeReader {
  readonly #inbox: Inbox;
  readonly #pace: Pace;
  readonly #options: Options;
  readonly #onChange: () => void;
  #reading: Reading | null = null;
  #failures = 0;
  #stopped = false;
  #failure: ElderError | null = null;
  #isBack = false;

  constructor(options: Options, inbox: Inbox, pace: Pace, onChange: () => void) {
    this.#options = options;
    this.#inbox = inbox;
    this.#pace = pace;
    this.#onChange = onChange;
  }

  get failure(): ElderError | null {
    return this.#failure;
  }

  /** Whether Redis was away and answers again; says so once. */
  takeReturn(): boolean {
    const isBack = this.#isBack;
    this.#isBack = false;
    return isBack;
  }

  stop(): void {
    this.#stopped = true;
    this.#reading?.abort.abort();
  }

  keepReading(): void {
    const inbox = this.#inbox;
    const pace = this.#pace;
    if (this.#failure || this.#stopped) return;
    if (this.#reading) {
      const outdated = inbox.wantedCount(pace) > this.#reading.cursors.size;
      if (!outdated) return;
      this.#reading.abort.abort();
      this.#reading = null;
    }
    if (pace === 'usual' && inbox.hasPlenty(this.#options.clock.now(), pace, plenty)) return;
    const saturated =
      inbox.wantedCount(pace) < inbox.edgeCount(pace) && inbox.hasWork(this.#options.clock.now(), pace);
    // A full edge is about to have room again; a read that left it out would have to be taken back then.
    if (saturated && pace === 'usual') return;
    const wanted = inbox.wanted(pace);
    if (wanted.size === 0) return;
    const reading: Reading = { cursors: wanted, abort: new AbortController() };
    this.#reading = reading;
    // The first read after one that failed does not wait: that Redis answers again is to be known at once.
    this.#read(reading, saturated || this.#failures > 0 ? 0 : blockingReadMs);
  }

  #read(reading: Reading, waitMs: number): void {
    const { broker, clock, observer, log } = this.#options;
    const { signal } = reading.abort;
    const urgent = this.#pace === 'urgent';
    const began = clock.now();
    broker.read(reading.cursors, { count: readAhead, waitMs, signal, urgent }).then(
      (entries) => {
        if (this.#reading !== reading) return;
        for (const gap of this.#inbox.add(entries, clock.now())) {
          log.warn(gap, 'entries are missing: Redis has lost data');
          observer?.onDataLost?.(`${gap.edge}: entry ${gap.expected} is due, ${gap.found} came`);
        }
        if (this.#failures > 0) {
          this.#isBack = true;
          observer?.onBlocked?.('read', null);
        }
        this.#failures = 0;
        // A broker that was closed does not wait before it says that there is nothing: to go on asking would leave this
        // process no time for anything else.
        if (entries.length === 0 && waitMs > 0 && clock.now() - began < 1) {
          this.#pause(reading, longestPauseMs);
          return;
        }
        this.#reading = null;
        // At once, so that what is urgent does not have to wait for the window being handled; the rest has time.
        if (entries.length > 0 && urgent) this.keepReading();
        this.#onChange();
      },
      (error) => {
        if (this.#reading === reading) this.#onFailure(reading, asElderError(error));
      },
    );
  }

  #onFailure(reading: Reading, error: ElderError): void {
    if (error.code !== 'redis_unreachable' && error.code !== 'redis_refused') {
      this.#failure = error;
      this.#onChange();
      return;
    }
    this.#options.observer?.onBlocked?.('read', error);
    this.#failures += 1;
    this.#pause(reading, Math.min(longestPauseMs, 20 * 2 ** Math.min(this.#failures, 6)));
  }

  /** Lets some time (ms) pass before the next read. */
  #pause(reading: Reading, ms: number): void {
    this.#options.clock.setTimer(ms, () => {
      if (this.#reading !== reading) return;
      this.#reading = null;
      this.#onChange();
    });
  }
}

/**
 * Fills the inbox of an elder. The urgent lanes are read apart from the others, so that a read of theirs is always
 * waiting at Redis and a backlog elsewhere does not delay it.
 */
export class EdgeReaders {
  readonly #readers: readonly EdgeReader[];

  /** `onChange` is called when a read has ended, whatever came of it. */
  constructor(options: Options, inbox: Inbox, onChange: () => void) {
    this.#readers = paces.map((pace) => new EdgeReader(options, inbox, pace, onChange));
  }

  /** Why this incarnation must not go on, or `null`. */
  get failure(): ElderError | null {
    return this.#readers.find(({ failure }) => failure !== null)?.failure ?? null;
  }

  /** Whether Redis was away and answers again; says so once. */
  takeReturn(): boolean {
    return this.#readers.map((reader) => reader.takeReturn()).includes(true);
  }

  /** Ends the reads under way; no other follows. */
  stop(): void {
    for (const reader of this.#readers) reader.stop();
  }

  /** Keeps reads under way; one is dropped, which loses nothing, when it leaves out an edge that has room again. */
  keepReading(): void {
    for (const reader of this.#readers) reader.keepReading();
  }
}
