import type { Commit, CommitAnswer } from '../src/messaging/broker.ts';
import type { Clock } from '../src/messaging/clock.ts';
import { deadLetterPrefix } from '../src/messaging/dead-letters.ts';
import { type Guards, MemoryStore } from '../src/messaging/memory/memory-store.ts';
import { ElderError } from '../src/protocol/errors.ts';
import type { Random } from './random.ts';

/** When the simulated Redis syncs its append-only file: before each answer, or once a second. */
export type Appendfsync = 'always' | 'everysec';

/** One change as the append-only file holds it. */
interface Change {
  readonly at: number;
  readonly apply: () => void;
  readonly commit: LostCommit | null;
  /** Whether the next change stands in the same transaction. */
  readonly goesOn: boolean;
  /** Whether somebody was told that it took place. */
  answered: boolean;
}

/** A commit whose author was told that it landed, and which is gone. */
export interface LostCommit {
  readonly name: string;
  readonly incarnation: number;
  readonly number: number;
}

interface HeldAnswer {
  /** How much of the file has to be synced before it may leave. */
  readonly length: number;
  readonly leave: () => void;
  readonly lose: () => void;
}

const syncMs = { from: 0.05, to: 2 };
const everysecMs = 1_000;

/** The store's time, which goes back while the file is read again. */
class FileClock implements Clock {
  readonly #clock: Clock;
  replayed: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.replayed ?? this.#clock.now();
  }

  setTimer(ms: number, fire: () => void): () => void {
    return this.#clock.setTimer(ms, fire);
  }
}

/** A store with an append-only file: what of it was synced survives a loss of power, the rest may be gone. */
export class DurableStore extends MemoryStore {
  readonly #time: FileClock;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #everysec: boolean;
  readonly #users = new Map<string, number>();
  #file: Change[] = [];
  #synced = 0;
  #syncing = false;
  #cancelSync = () => {};
  #held: HeldAnswer[] = [];
  /** How often a commit found an edge full. */
  fulls = 0;
  /** Number of the last commit, by principal. */
  readonly #numbers = new Map<string, number>();
  /** Whoever has ever given a message up. */
  readonly keepers = new Set<string>();

  constructor(options: {
    clock: Clock;
    random: Random;
    /** `everysec` answers before it has synced. */
    appendfsync: Appendfsync;
    edgeLimit: number;
    retain: number;
    guards: Partial<Guards>;
  }) {
    const { clock, random, appendfsync, ...rest } = options;
    const time = new FileClock(clock);
    super({ ...rest, clock: time });
    this.#time = time;
    this.#clock = clock;
    this.#random = random;
    this.#everysec = appendfsync === 'everysec';
  }

  override setIncarnation(name: string, incarnation: number): void {
    // The file of users is synced when it is saved, whatever becomes of the data.
    this.#users.set(name, incarnation);
    this.#write(() => super.setIncarnation(name, incarnation), null);
    if (!this.#everysec) this.#hasSynced(this.#file.length);
  }

  /** Who may read is a matter of users alone; the incarnation in the data counts when something is committed. */
  override requireCurrent(name: string, incarnation: number): void {
    if (this.#isRevoked(name, incarnation)) throw new ElderError('fenced', `${name} has a successor`);
  }

  override check(name: string, incarnation: number, commit: Commit): CommitAnswer | null {
    if (this.#isRevoked(name, incarnation)) return { kind: 'fenced' };
    const refusal = super.check(name, incarnation, commit);
    if (refusal?.kind === 'full') this.fulls += 1;
    return refusal;
  }

  override applyPositions(name: string, commit: Commit): void {
    this.#write(() => super.applyPositions(name, commit), null, this.guards.atomicCommit);
  }

  override applyRest(name: string, incarnation: number, commit: Commit): void {
    const change = () => {
      super.applyRest(name, incarnation, commit);
      this.#numbers.set(name, commit.number);
    };
    if ([...commit.set.keys()].some((field) => field.startsWith(deadLetterPrefix))) this.keepers.add(name);
    this.#write(change, { name, incarnation, number: commit.number });
  }

  commitNumberOf(name: string): number {
    return this.#numbers.get(name) ?? 0;
  }

  /** Notes that somebody was told that this commit has landed; `false` when it is lost already. */
  acknowledge(name: string, number: number): boolean {
    const change = this.#file.findLast(
      ({ commit }) => commit !== null && commit.name === name && commit.number <= number,
    );
    if (change?.commit?.number !== number) return false;
    change.answered = true;
    return true;
  }

  /** Lets an answer leave as soon as what it tells of is durable; `lose` is called when power fails before. */
  answer(leave: () => void, lose: () => void): void {
    const { length } = this.#file;
    if (this.#everysec || this.#synced >= length) leave();
    else this.#held.push({ length, leave, lose });
  }

  /** Takes power away and gives it back: gives the commits that are lost though they had been acknowledged. */
  losePower(): LostCommit[] {
    let kept = this.#random.whole(this.#synced, this.#file.length);
    // Of a transaction that was not written to its end nothing is read again.
    while (this.#file[kept - 1]?.goesOn) kept -= 1;
    return this.#goBack(kept);
  }

  /** Throws all data away while everybody stays connected: gives the acknowledged commits that are lost by that. */
  flush(): LostCommit[] {
    return this.#goBack(0);
  }

  #goBack(kept: number): LostCommit[] {
    const lost = this.#file.slice(kept);
    const held = this.#held;
    this.#held = [];
    this.#cancelSync();
    this.#syncing = false;
    this.#file = this.#file.slice(0, kept);
    this.#synced = kept;
    this.#numbers.clear();
    this.clear();
    for (const { at, apply } of this.#file) {
      this.#time.replayed = at;
      apply();
    }
    this.#time.replayed = null;
    for (const { lose } of held) lose();
    return lost.flatMap(({ commit, answered }) => (commit && answered ? [commit] : []));
  }

  #isRevoked(name: string, incarnation: number): boolean {
    return this.guards.incarnation && incarnation < (this.#users.get(name) ?? 0);
  }

  #write(apply: () => void, commit: LostCommit | null, goesOn = false): void {
    this.#file.push({ at: this.#clock.now(), apply, commit, goesOn, answered: false });
    apply();
    if (this.#syncing) return;
    this.#syncing = true;
    const { from, to } = syncMs;
    const ms = this.#everysec ? everysecMs : this.#random.between(from, to);
    this.#cancelSync = this.#clock.setTimer(ms, () => {
      this.#syncing = false;
      this.#hasSynced(this.#file.length);
    });
  }

  #hasSynced(length: number): void {
    this.#synced = length;
    const free = this.#held.filter((answer) => answer.length <= length);
    this.#held = this.#held.filter((answer) => answer.length > length);
    for (const { leave } of free) leave();
  }
}
