import type { Clock } from '../src/messaging/clock.ts';
import type { Schedule } from '../src/messaging/memory/memory-broker.ts';
import type { Incarnation } from './incarnation.ts';
import type { Random } from './random.ts';
import type { Trace } from './trace.ts';

/** How unkind the way to the store is. Probabilities are per operation. */
export interface Weather {
  /** Mean time that a request or an answer takes (ms). */
  readonly delayMs: number;
  readonly slow: number;
  readonly lostRequest: number;
  readonly lostAnswer: number;
  /** That a commit stays in a dead connection and arrives long after its sender has given it up. */
  readonly lateCommit: number;
  /** That a commit arrives once more, some time later. */
  readonly repeatedCommit: number;
  /** That a process dies just before, or just after, its commit takes place. */
  readonly crashAtCommit: number;
}

const slowMs = 400;
/** Mean time that a commit stays in a dead connection. */
const lateMs = 300;
/** A request into a cut connection fails within this time. */
const refusalMs = 300;

/** The way between processes and the store: delays, losses, and connections that are cut for a while. */
export class Network {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #crash: (incarnation: Incarnation, reason: string) => void;
  #weather: Weather;
  #allCutUntil = 0;
  /** How often the store was away: no request outlives its connection to a store that restarts. */
  #outages = 0;
  readonly #cutUntil = new Map<string, number>();

  constructor(options: {
    clock: Clock;
    random: Random;
    trace: Trace;
    weather: Weather;
    crash: (incarnation: Incarnation, reason: string) => void;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#trace = options.trace;
    this.#weather = options.weather;
    this.#crash = options.crash;
  }

  /** From here on nothing is lost any more; delays stay. */
  calm(): void {
    this.#weather = {
      ...this.#weather,
      slow: 0,
      lostRequest: 0,
      lostAnswer: 0,
      lateCommit: 0,
      repeatedCommit: 0,
      crashAtCommit: 0,
    };
  }

  /** Whether some process cannot reach the store at present. */
  get isCut(): boolean {
    const now = this.#clock.now();
    return [this.#allCutUntil, ...this.#cutUntil.values()].some((until) => until > now);
  }

  /** Cuts a process off for a while, or everything when no name is given, as when the store restarts. */
  cut(forMs: number, name?: string): void {
    const until = this.#clock.now() + forMs;
    if (name === undefined) {
      this.#allCutUntil = Math.max(this.#allCutUntil, until);
      this.#outages += 1;
    } else this.#cutUntil.set(name, until);
  }

  /** Whether nobody reaches the store. */
  get isAway(): boolean {
    return this.#allCutUntil > this.#clock.now();
  }

  delay(): number {
    const { delayMs, slow } = this.#weather;
    const usual = this.#random.between(0.2, 1.8) * delayMs;
    return this.#random.chance(slow) ? usual + this.#random.exponential(slowMs) : usual;
  }

  /** The schedule of a broker that belongs to this incarnation. */
  scheduleFor(incarnation: Incarnation): Schedule {
    return (operation, run) => {
      // Whoever is dead asks for nothing any more.
      if (operation === 'publish' || !incarnation.alive) return;
      const random = this.#random;
      const note = (what: string) => this.#trace.note(`${incarnation} ${operation} ${what}`);
      if (this.#isCut(incarnation)) {
        const refuse = () => incarnation.alive && run('lost_request');
        note('finds no way');
        this.#clock.setTimer(random.between(1, refusalMs), refuse);
        return;
      }
      // A request that has left its process arrives even when that dies meanwhile; about half have left.
      const hasLeft = random.chance(0.5);
      this.#clock.setTimer(this.delay(), () => {
        if (!incarnation.alive) {
          if (!hasLeft) return;
          note('arrives after the end of its sender');
          run('no_answer');
          return;
        }
        if (this.#isCut(incarnation)) {
          note('is cut off');
          run(random.chance(0.5) ? 'lost_answer' : 'lost_request');
          return;
        }
        const isCommit = operation === 'commit' || operation === 'rest of commit';
        const outages = this.#outages;
        const again = () => {
          if (outages !== this.#outages) return;
          note('arrives late');
          run('no_answer');
        };
        if (isCommit) {
          if (random.chance(this.#weather.crashAtCommit)) {
            const landed = random.chance(0.6);
            if (landed) run('no_answer');
            this.#crash(incarnation, landed ? 'right after its commit' : 'right before its commit');
            return;
          }
        }
        const lot = random.next();
        const { lostRequest, lostAnswer } = this.#weather;
        if (lot < lostRequest) {
          note('is lost');
          run('lost_request');
        } else if (lot < lostRequest + lostAnswer) {
          note('loses its answer');
          run('lost_answer');
        } else if (isCommit && random.chance(this.#weather.lateCommit)) {
          note('is held up');
          run('lost_request');
          this.#clock.setTimer(random.exponential(lateMs), again);
        } else {
          if (isCommit && random.chance(this.#weather.repeatedCommit))
            this.#clock.setTimer(random.exponential(lateMs), again);
          if (operation !== 'read') note('takes place');
          run();
        }
      });
    };
  }

  #isCut({ name }: Incarnation): boolean {
    const now = this.#clock.now();
    return this.#allCutUntil > now || (this.#cutUntil.get(name) ?? 0) > now;
  }
}
