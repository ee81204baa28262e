import type { SpareStatus } from '../../protocol/process.ts';
import { sparePrefix } from '../../protocol/start-channel.ts';
import { describeExit } from '../elders/running-process.ts';
import type { SpawnedElder } from '../elders/spawn-elder.ts';

interface WarmSparesOptions {
  /** Groups of elders between which a process can be exchanged. */
  readonly groups: () => readonly (readonly string[])[];
  /** How many are kept for each group, and the waits of a spare that does not live (ms); asked anew each time. */
  readonly limits: () => {
    readonly count: number;
    readonly backoffFirst: number;
    readonly backoffMax: number;
    readonly stableAfter: number;
  };
  /** Starts a spare; it is given its own name and the elders that it can become. */
  readonly spawn: (spare: string, names: readonly string[]) => Promise<SpawnedElder>;
  /** What a spare for these elders sees of the files if it is started now; one that sees anything else is of no use. */
  readonly sees?: (names: readonly string[]) => string;
  /** Notes a spare on disk, so that it is found should this manager die; `null` when it waits no more. */
  readonly note: (spare: string, spawned: SpawnedElder | null) => Promise<void>;
  /** Makes a process that has loaded its program fit to be taken, and tells whether it is; never rejects. */
  readonly prepare: (names: readonly string[], process: SpawnedElder) => Promise<boolean>;
  readonly onChange: () => void;
  /** Told why a spare ended, or could not be started. */
  readonly onLost: (spare: string, reason: string) => void;
}

/** A place that is always to have a warm process in it. */
interface Slot {
  readonly name: string;
  readonly names: readonly string[];
  process: SpawnedElder | null;
  /** What its process sees of the files. */
  sees: string;
  state: SpareStatus['state'];
  startedAt: number | null;
  /** How often in a row one ended before its time, and how often in all. */
  failures: number;
  restarts: number;
  reason: string | null;
  timer: NodeJS.Timeout | undefined;
  /** Settles when nothing is being started for it any more. */
  starting: Promise<void>;
  closed: boolean;
}

/** A spare that was taken, with what is to be known of it. */
export interface TakenSpare {
  readonly name: string;
  readonly names: readonly string[];
  readonly process: SpawnedElder;
  /** To be called when it has become an elder, or has failed to: only then is the next one started. */
  release(): Promise<void>;
}

/** Ms from the release of a spare to the start of the next: meanwhile the processor belongs to the one that was taken. */
const refillDelay = 400;

/**
 * Keeps processes warm that have loaded everything and wait, without identity or right, to become an elder. One
 * that ends is replaced, later and later if that goes on; one that is taken is replaced in the background.
 */
export class WarmSpares {
  readonly #options: WarmSparesOptions;
  #slots: Slot[] = [];
  #open = false;

  constructor(options: WarmSparesOptions) {
    this.#options = options;
  }

  /** What there is, in a fixed order. */
  get statuses(): Omit<SpareStatus, 'isolation'>[] {
    return this.#slots.map(({ name, names, state, process, startedAt, restarts, reason }) => ({
      name,
      takes: [...names],
      state,
      pid: process?.identity.pid ?? null,
      startedAt,
      restarts,
      reason,
    }));
  }

  /** Begins to keep spares. */
  begin(): void {
    this.#open = true;
    this.adjust();
  }

  /** Keeps from now on what the present configuration asks for. `renew`: those that wait already are replaced. */
  adjust({ renew = false }: { renew?: boolean } = {}): void {
    if (!this.#open) return;
    const { count } = this.#options.limits();
    const wanted = this.#options
      .groups()
      .flatMap((names) =>
        Array.from({ length: count }, (_, index) => ({ name: slotName(names, index), names })),
      );
    const kept = renew ? [] : this.#slots.filter((slot) => wanted.some((each) => isSame(slot, each)));
    const dropped = this.#slots.filter((slot) => !kept.includes(slot));
    const closing = Promise.all(dropped.map((slot) => this.#close(slot)));
    this.#slots = wanted.map((each) => kept.find((slot) => isSame(slot, each)) ?? newSlot(each));
    // Two spares of one name would share a home.
    for (const slot of this.#slots) {
      if (!kept.includes(slot)) slot.starting = closing.then(() => this.#fill(slot));
    }
    this.#options.onChange();
  }

  /** Gives a warm process that can become this elder, or `null`; a new one is warmed up in its place. */
  take(name: string): TakenSpare | null {
    const slot = this.#slots.find((each) => each.state === 'ready' && each.names.includes(name));
    if (slot?.process == null) return null;
    if (slot.sees !== this.#seesNow(slot)) {
      this.#replace(slot, slot.process);
      return null;
    }
    const { process } = slot;
    slot.process = null;
    slot.state = 'warming';
    slot.startedAt = null;
    slot.failures = 0;
    const release = async () => {
      await this.#options.note(slot.name, null);
      if (!slot.closed) this.#later(slot, 'warming', refillDelay);
    };
    return { name: slot.name, names: slot.names, process, release };
  }

  /** Ends all that wait and resolves when they are gone; no more are started. */
  async discard(): Promise<void> {
    this.#open = false;
    const slots = this.#slots;
    this.#slots = [];
    await Promise.all(slots.map((slot) => this.#close(slot)));
  }

  #seesNow({ names }: Slot): string {
    return this.#options.sees?.(names) ?? '';
  }

  /** Ends the process of a slot and starts another. */
  #replace(slot: Slot, process: SpawnedElder): void {
    slot.process = null;
    slot.state = 'warming';
    slot.startedAt = null;
    process.kill('SIGKILL');
    slot.starting = process.exited
      .then(() => this.#options.note(slot.name, null))
      .then(() => this.#fill(slot));
    this.#options.onChange();
  }

  async #close(slot: Slot): Promise<void> {
    slot.closed = true;
    clearTimeout(slot.timer);
    slot.process?.kill('SIGKILL');
    await slot.starting;
    const { process } = slot;
    if (process === null) return;
    process.kill('SIGKILL');
    await process.exited;
    await this.#options.note(slot.name, null);
  }

  #later(slot: Slot, state: Slot['state'], delay: number): void {
    slot.state = state;
    slot.startedAt = null;
    slot.timer = setTimeout(() => {
      slot.starting = this.#fill(slot);
    }, delay);
    this.#options.onChange();
  }

  /** Starts a process for a slot and looks after it; never rejects. */
  async #fill(slot: Slot): Promise<void> {
    if (slot.closed) return;
    slot.state = 'warming';
    slot.sees = this.#seesNow(slot);
    try {
      const process = await this.#options.spawn(slot.name, slot.names);
      slot.process = process;
      slot.startedAt = Date.now();
      void process.exited.then((exit) => this.#ended(slot, process, describeExit(exit)));
      await this.#options.note(slot.name, process);
      void this.#warm(slot, process);
    } catch (error) {
      this.#failed(slot, error instanceof Error ? error.message : String(error));
    }
  }

  async #warm(slot: Slot, process: SpawnedElder): Promise<void> {
    await process.loading.loaded;
    if (slot.process !== process || !(await this.#options.prepare(slot.names, process))) return;
    if (slot.process !== process) return;
    slot.state = 'ready';
    slot.reason = null;
    this.#options.onChange();
  }

  #ended(slot: Slot, process: SpawnedElder, reason: string): void {
    // Taken, or ended on purpose.
    if (slot.process !== process || slot.closed) return;
    const uptime = Date.now() - (slot.startedAt ?? Date.now());
    if (uptime >= this.#options.limits().stableAfter) slot.failures = 0;
    slot.process = null;
    void this.#options.note(slot.name, null);
    this.#failed(slot, reason);
  }

  #failed(slot: Slot, reason: string): void {
    if (slot.closed) return;
    const { backoffFirst, backoffMax } = this.#options.limits();
    const ceiling = Math.min(backoffMax, backoffFirst * 2 ** slot.failures);
    slot.failures += 1;
    slot.restarts += 1;
    slot.reason = reason;
    this.#options.onLost(slot.name, reason);
    this.#later(slot, 'backoff', ceiling * (0.5 + Math.random() / 2));
  }
}

function slotName(names: readonly string[], index: number): string {
  return `${sparePrefix}${names[0]}${index === 0 ? '' : `+${index}`}`;
}

function isSame(a: Pick<Slot, 'name' | 'names'>, b: Pick<Slot, 'name' | 'names'>): boolean {
  return a.name === b.name && a.names.join() === b.names.join();
}

function newSlot({ name, names }: Pick<Slot, 'name' | 'names'>): Slot {
  return {
    ...{ name, names, process: null, sees: '', state: 'warming' as const, startedAt: null },
    ...{ failures: 0, restarts: 0, reason: null, timer: undefined },
    ...{ starting: Promise.resolve(), closed: false },
  };
}
