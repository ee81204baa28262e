import { roster } from '../src/protocol/roster.ts';
import { HighWater } from '../src/supervision/redis/high-water.ts';
import { SimulatedProcess, type Surroundings } from './simulated-process.ts';

/** Between two looks whether the store holds less than it did. */
const watchMs = 1_000;
const usualRestartMs = { from: 5, to: 300 };
const longAbsenceMs = { from: 2_000, to: 8_000 };
const longAbsence = 0.15;

/** Stands in for the process manager: starts every elder, and starts it anew, one incarnation on, when it has ended. */
export class SimulatedManager {
  readonly #around: Surroundings;
  readonly #current = new Map<string, SimulatedProcess>();
  readonly #incarnations = new Map<string, number>();
  readonly #away = new Set<string>();
  readonly #highWater = new HighWater();
  restarts = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  get names(): string[] {
    return roster(this.#around.servants.length).map((elder) => elder.name);
  }

  /** Whether every process is there. */
  get complete(): boolean {
    return this.#away.size === 0;
  }

  startAll(): void {
    for (const name of this.names) this.#start(name);
    this.#watch();
  }

  process(name: string): SimulatedProcess | undefined {
    return this.#current.get(name);
  }

  crash(name: string): void {
    this.#current.get(name)?.crash('is killed');
  }

  /** Restarts a process in good order. */
  drain(name: string, ms: number): void {
    void this.#current.get(name)?.drain(ms);
  }

  /** Lets a process stand still for a while. */
  stall(name: string, ms: number): void {
    this.#current.get(name)?.incarnation.stall(ms);
  }

  /** Takes a process for dead that is not, and starts its successor beside it. */
  replace(name: string): void {
    const process = this.#current.get(name);
    if (!process?.incarnation.alive) return;
    this.#around.trace.note(`${process.incarnation} is taken for dead`);
    this.restarts += 1;
    this.#start(name);
  }

  /** Does what the real manager's watch does, at the times at which the store can be reached. */
  #watch(): void {
    const { clock, network, store, onLoss, guardOff } = this.#around;
    clock.setTimer(watchMs, () => {
      this.#watch();
      const isOff = guardOff === 'loss_detection' || guardOff === 'watch';
      if (network.isAway || isOff) return;
      const present = ['gateway', ...this.names].map((name) => {
        const mark = { incarnation: store.incarnationOf(name), commits: store.commitNumberOf(name) };
        return [name, mark] as const;
      });
      for (const { name, reason } of this.#highWater.advance(present)) {
        onLoss(name, reason);
        this.#current.get(name === 'gateway' ? 'grand_elder' : name)?.crash(`is replaced: ${reason}`);
      }
    });
  }

  #start(name: string): void {
    const number = (this.#incarnations.get(name) ?? 0) + 1;
    this.#incarnations.set(name, number);
    this.#away.delete(name);
    const process = new SimulatedProcess(name, number, {
      around: this.#around,
      onEnd: (ended) => this.#onEnd(ended),
    });
    this.#current.set(name, process);
    this.#around.trace.note(`${process.incarnation} starts`);
    process.start();
    for (const principal of process.principals) this.#highWater.begun(principal, number);
  }

  #onEnd(ended: SimulatedProcess): void {
    const { name } = ended;
    if (this.#current.get(name) !== ended || this.#away.has(name)) return;
    this.#away.add(name);
    this.restarts += 1;
    const { random, clock } = this.#around;
    const { from, to } = random.chance(longAbsence) ? longAbsenceMs : usualRestartMs;
    clock.setTimer(random.between(from, to), () => this.#away.has(name) && this.#start(name));
  }
}
