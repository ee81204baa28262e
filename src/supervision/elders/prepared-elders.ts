import type { SpawnedElder } from './spawn-elder.ts';

interface PreparedEldersOptions {
  /** Starts the program of an elder. */
  readonly spawn: (name: string) => Promise<SpawnedElder>;
  /** Notes a process that waits on disk, so that it is found should this manager die; `null` when it waits no more. */
  readonly note: (name: string, spawned: SpawnedElder | null) => Promise<void>;
}

/**
 * Processes of elders that were started ahead of their turn: they have loaded their program and wait to be
 * told who they are. They hold no secret and no right.
 */
export class PreparedElders {
  readonly #options: PreparedEldersOptions;
  readonly #waiting = new Map<string, Promise<SpawnedElder>>();

  constructor(options: PreparedEldersOptions) {
    this.#options = options;
  }

  /** How many wait to be taken. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whether a process was started for this elder. */
  has(name: string): boolean {
    return this.#waiting.has(name);
  }

  /** Starts a process for an elder, unless one waits for it; never throws. */
  prepare(name: string): void {
    if (this.#waiting.has(name)) return;
    const spawned = this.#spawn(name);
    // Whoever takes it is told.
    spawned.catch(() => undefined);
    this.#waiting.set(name, spawned);
  }

  /** Resolves when the process prepared for an elder waits for its orders, or when there is none. */
  async loaded(name: string): Promise<void> {
    const spawned = await this.#waiting.get(name)?.catch(() => undefined);
    if (spawned !== undefined) await Promise.race([spawned.loading.loaded, spawned.exited]);
  }

  /** Gives the process prepared for an elder, or a new one. Rejects with `start_failed`. */
  async take(name: string): Promise<SpawnedElder> {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    const prepared = await waiting?.catch(() => undefined);
    if (prepared !== undefined) {
      const ended = await Promise.race([prepared.exited.then(() => true), Promise.resolve(false)]);
      if (!ended) return prepared;
      await this.#options.note(name, null);
    }
    return this.#options.spawn(name);
  }

  /** Notes that a process that was taken has become its elder. */
  async admitted(name: string): Promise<void> {
    if (!this.#waiting.has(name)) await this.#options.note(name, null);
  }

  /** Ends all that wait and resolves when they are gone. */
  async discard(): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    await Promise.all(
      waiting.map(async ([name, prepared]) => {
        const spawned = await prepared.catch(() => undefined);
        spawned?.kill('SIGKILL');
        await spawned?.exited;
        await this.#options.note(name, null);
      }),
    );
  }

  async #spawn(name: string): Promise<SpawnedElder> {
    const spawned = await this.#options.spawn(name);
    await this.#options.note(name, spawned);
    return spawned;
  }
}
