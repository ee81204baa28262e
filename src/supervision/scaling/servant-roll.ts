import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { type ElderSpec, isServant, roster, servantName } from '../../protocol/roster.ts';
import {
  generalPool,
  numbersOf,
  type PoolsConfig,
  poolOf,
  type ServantPool,
  servantNumber,
  servantPools,
} from '../../protocol/servant-pools.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { writeFileAtomic } from '../atomic-file.ts';

const poolState = z.object({
  count: z.int().min(0),
  /** A person has said how many, so the automatic does not. */
  fixed: z.boolean(),
});
const rollFile = z.object({
  /** What the configuration said when these counts began to differ from it. */
  basis: z.string(),
  revision: z.int().min(0),
  pools: z.record(z.string(), poolState),
  retiring: z.array(z.string()),
});
type PoolState = z.infer<typeof poolState>;

/** What of a configuration, when it changes, is a newer word than what was asked for while the tree ran. */
function basisOf(config: PoolsConfig): string {
  const { auto, groups } = config.scaling;
  return JSON.stringify([config.servants, auto, Object.keys(groups)]);
}

/** What a configuration says now about the servants. */
function wordOf({ servants, scaling }: PoolsConfig): PoolsConfig {
  return { servants, scaling };
}

/**
 * The servants of a tree as they are to be: how many of each pool are given tasks, and who is being drained. It stands
 * on disk before anything is done about it, so that the next manager can go on.
 */
export class ServantRoll {
  readonly #folder: StateFolder;
  /** Always the present configuration. */
  readonly #present: PoolsConfig;
  /** The configuration in force here: that of the last `reconfigured`. */
  #config: PoolsConfig;
  #basis: string;
  #pools: Map<string, PoolState>;
  #retiring: Set<string>;
  #revision: number;

  private constructor(folder: StateFolder, config: PoolsConfig, file: z.infer<typeof rollFile> | null) {
    this.#folder = folder;
    this.#present = config;
    this.#config = wordOf(config);
    this.#basis = basisOf(config);
    const known = file?.basis === this.#basis ? file : null;
    this.#revision = file?.revision ?? 0;
    this.#retiring = new Set(file?.retiring.filter((name) => this.poolOf(name) !== undefined));
    this.#pools = new Map(this.pools.map((pool) => [pool.name, known?.pools[pool.name] ?? startOf(pool)]));
    this.#bound();
    this.#settle(new Set());
  }

  /**
   * Reads what an earlier manager has left, or begins with what the configuration says; `config` is a live view. Servants
   * that run beyond that, by their names in `running`, are to be drained.
   */
  static async open(
    folder: StateFolder,
    config: PoolsConfig,
    running: Iterable<string>,
  ): Promise<ServantRoll> {
    const roll = new ServantRoll(folder, config, await readRoll(folder));
    for (const name of running) if (roll.poolOf(name) && !roll.isMember(name)) roll.#retiring.add(name);
    await roll.save();
    return roll;
  }

  /** Forgets it: the next start begins with what the configuration says. */
  static async forget(folder: StateFolder): Promise<void> {
    await rm(folder.servants, { force: true });
  }

  /** Writes it to disk. Throws the error of the file system. */
  async save(): Promise<void> {
    const file: z.infer<typeof rollFile> = {
      basis: this.#basis,
      revision: this.#revision,
      pools: Object.fromEntries(this.#pools),
      retiring: [...this.#retiring],
    };
    await writeFileAtomic(this.#folder.servants, JSON.stringify(file));
  }

  get pools(): ServantPool[] {
    return servantPools(this.#config);
  }

  /** Gives a pool by its name. */
  pool(name: string): ServantPool | undefined {
    return this.pools.find((pool) => pool.name === name);
  }

  /** Gives the pool of a servant. */
  poolOf(servant: string): ServantPool | undefined {
    return poolOf(this.pools, servant);
  }

  /** How many servants of a pool are given tasks. */
  count(pool: string): number {
    return this.#pools.get(pool)?.count ?? 0;
  }

  /** Whether the automatic decides on a pool. */
  isAutomatic(pool: string): boolean {
    return this.#config.scaling.auto && this.#pools.get(pool)?.fixed !== true;
  }

  /** The servants that are given tasks. */
  get members(): string[] {
    return this.pools.flatMap((pool) => numbersOf(pool, this.count(pool.name)).map(servantName));
  }

  isMember(name: string): boolean {
    const pool = this.poolOf(name);
    return pool !== undefined && (servantNumber(name) ?? 0) < pool.first + this.count(pool.name);
  }

  /** The servants that finish what they have and go. */
  get retiring(): ReadonlySet<string> {
    return this.#retiring;
  }

  /** All elders of the tree now, those that are being drained included, in start order. */
  get specs(): ElderSpec[] {
    const numbers = [...this.members, ...this.#retiring].map((name) => servantNumber(name) ?? 0);
    return roster([...new Set(numbers)].sort((a, b) => a - b));
  }

  /** The number of the present word to the task sage; each is higher than the one before. */
  get revision(): number {
    return this.#revision;
  }

  /** Begins a new word to the task sage. */
  nextRevision(): number {
    // Above any that an earlier manager has used and could not write down any more.
    this.#revision = Math.max(this.#revision + 1, Date.now());
    return this.#revision;
  }

  /** Sets how many servants of a pool are given tasks; the others of it are drained. `fixed`: a person said so. */
  setCount(pool: string, count: number, fixed: boolean): void {
    const before = new Set(this.members);
    this.#pools.set(pool, { count, fixed });
    this.#settle(before);
  }

  /** Lets the automatic decide on a pool again. */
  release(pool: string): void {
    this.#pools.set(pool, { count: this.count(pool), fixed: false });
  }

  /** Notes that a servant is gone. */
  gone(name: string): void {
    this.#retiring.delete(name);
  }

  /** Takes the word of a changed configuration: where it says something new about the servants, that counts. */
  reconfigured(): void {
    const before = new Set(this.members);
    this.#config = wordOf(this.#present);
    const basis = basisOf(this.#config);
    if (basis !== this.#basis) {
      this.#basis = basis;
      this.#pools = new Map(
        this.pools.map((pool) => {
          // The automatic goes on from where it is; a number that nobody changes stays.
          const kept =
            pool.name === generalPool && !this.#config.scaling.auto ? null : this.#pools.get(pool.name);
          return [pool.name, kept ? { ...kept, fixed: false } : startOf(pool)];
        }),
      );
    }
    this.#bound();
    this.#settle(before);
  }

  #bound(): void {
    for (const pool of this.pools) {
      const state = this.#pools.get(pool.name);
      if (state && state.count > pool.max) this.#pools.set(pool.name, { ...state, count: pool.max });
    }
  }

  #settle(before: ReadonlySet<string>): void {
    const members = new Set(this.members);
    for (const name of before) if (!members.has(name)) this.#retiring.add(name);
    for (const name of members) this.#retiring.delete(name);
  }
}

function startOf({ start }: ServantPool): PoolState {
  return { count: start, fixed: false };
}

async function readRoll(folder: StateFolder): Promise<z.infer<typeof rollFile> | null> {
  try {
    const file = rollFile.parse(JSON.parse(await readFile(folder.servants, 'utf8')));
    return { ...file, retiring: file.retiring.filter(isServant) };
  } catch {
    // None, or one that is damaged: then the configuration is all there is.
    return null;
  }
}
