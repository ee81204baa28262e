import type { Config } from '../../protocol/config.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import { didYouMean } from '../../protocol/nearest.ts';
import { servantName, servantSpec } from '../../protocol/roster.ts';
import type { PoolScale, ScaleRequest, ScaleState } from '../../protocol/scaling.ts';
import { numbersOf, type ServantPool, servantNumber } from '../../protocol/servant-pools.ts';
import type { TreeElders } from '../elders/tree-elders.ts';
import { decideCount, noMemory, type ScaleMemory } from './decide-count.ts';
import { describePool, sightOf } from './pool-view.ts';
import { PoolWaits } from './pool-waits.ts';
import type { StaffView } from './read-staff.ts';
import { StaffOrders, type StaffOrdersOptions } from './staff-orders.ts';

/** A pool that has another count from now on. */
export interface ScaleChange {
  readonly pool: string;
  readonly from: number;
  readonly to: number;
  readonly by: 'human' | 'automatic' | 'configuration';
  readonly reason: string | null;
}

interface ServantScalerOptions extends StaffOrdersOptions {
  /** A live view. */
  readonly config: Config;
  readonly elders: Pick<TreeElders, 'admit' | 'dismiss' | 'supervisor'>;
  /** Reads what the task sage knows of these servants; rejects while Redis is away. */
  readonly readStaff: (servants: readonly string[]) => Promise<StaffView>;
  /** Throws `port_taken` where one of these servants could not listen. */
  readonly requirePorts: (servants: readonly string[]) => Promise<void>;
  readonly onChange: (change: ScaleChange) => void;
  readonly onDraining: (servant: string) => void;
  /** Told that a servant is gone for good. */
  readonly onGone: (servant: string) => void;
  /** Told what hinders a change that nobody waits for. */
  readonly onHindered: (what: string, error: ElderError) => void;
  /** Whether a servant that is to go may be ended; another than `isDrained` is for tests of what that guards. */
  readonly mayEnd?: typeof isDrained;
}

/** Ms between two looks at what waits, and at servants that are being drained. */
const watchInterval = 1_000;
const drainInterval = 250;
/** What was noted earlier than this many ms ago is no ground for a decision. */
const staleAfter = 10_000;

/** A servant is done when the task sage knows that it gets nothing more and has nothing left. */
export function isDrained(view: StaffView, revision: number, servant: string): boolean {
  return view.revision === revision && !view.busy.has(servant);
}

/**
 * Has as many servants run as there are to be. One that is too many is first given no more tasks, then finishes what it
 * has, however long that takes, and only then its process ends. What is wanted stands in the roll, on disk; all
 * else follows from it, so whatever was under way when a manager died is finished by the next.
 */
export class ServantScaler {
  readonly #options: ServantScalerOptions;
  readonly #stopped = new AbortController();
  readonly #waits: PoolWaits;
  readonly #memories = new Map<string, ScaleMemory>();
  readonly #last = new Map<string, PoolScale['last']>();
  /** Servants whose end has begun: they must be gone before they may come again. */
  readonly #ending = new Set<string>();
  readonly #drainingTold = new Set<string>();
  #view: StaffView | null = null;
  readonly #orders: StaffOrders;
  #wake = () => {};
  #woken = false;
  #running: Promise<void> | null = null;

  constructor(options: ServantScalerOptions) {
    this.#options = options;
    this.#orders = new StaffOrders(options);
    this.#waits = new PoolWaits(options, this.#stopped.signal);
  }

  /**
   * Tells the grand elder which servants there are and the task sage whom it gives tasks; Redis must be there, they
   * need not run yet.
   */
  announce(): void {
    // At the start no servant has a task yet.
    this.#orders.give(this.#view, { first: this.#running === null });
  }

  /** Begins to keep the number of servants. */
  begin(): void {
    this.#running ??= this.#run();
  }

  /** Begins no further change; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort(new ElderError('interrupted', 'the tree is being stopped'));
    this.touch();
    await this.#running;
  }

  /** Looks anew at what is to be done. */
  touch(): void {
    this.#woken = true;
    this.#wake();
    this.#waits.look();
  }

  /**
   * Changes how many servants there are. Resolves when that is on disk or, with `wait`, when it has come about. Throws
   * `not_found`, `usage`, `conflict` or `port_taken` before anything has changed; later, what hindered it.
   */
  async scale({ pools, wait }: ScaleRequest): Promise<ScaleState> {
    const { roll } = this.#options;
    const orders = Object.entries(pools).map(([name, wanted]) => ({ pool: this.#require(name), wanted }));
    for (const { pool, wanted } of orders) this.#check(pool, wanted);
    await this.#options.requirePorts(
      orders.flatMap(({ pool, wanted }) => (wanted === 'auto' ? [] : this.#added(pool, wanted))),
    );
    for (const { pool, wanted } of orders) {
      if (wanted === 'auto') roll.release(pool.name);
      else this.#set(pool, wanted, 'human', null);
    }
    await this.#save();
    if (wait)
      for (const { pool, wanted } of orders) if (wanted !== 'auto') await this.#waits.settled(pool, wanted);
    return this.state;
  }

  /** Takes the word of a changed configuration; gives the pools that have another count by it. Rejects with the error of the file system. */
  async reconfigured(): Promise<string[]> {
    const { roll } = this.#options;
    const before = new Map(roll.pools.map(({ name }) => [name, roll.count(name)]));
    roll.reconfigured();
    for (const { name } of roll.pools) {
      this.#noteChange(name, before.get(name) ?? 0, roll.count(name), 'configuration', null);
    }
    await this.#save();
    return roll.pools.map(({ name }) => name).filter((name) => before.get(name) !== roll.count(name));
  }

  /** Resolves when every servant of a pool is ready. Rejects with `start_failed`. */
  async grown(pool: string): Promise<void> {
    await this.#waits.ready(this.#require(pool));
  }

  /** The servants that there can be now; a changed configuration counts from `reconfigured` on. */
  get pools(): ServantPool[] {
    return this.#options.roll.pools;
  }

  get state(): ScaleState {
    const last = (name: string) => this.#last.get(name) ?? null;
    return {
      schemaVersion: 1,
      pools: this.pools.map((pool) => describePool(pool, this.#options, this.#view, last(pool.name))),
    };
  }

  #require(name: string): ServantPool {
    const { roll } = this.#options;
    const pool = roll.pool(name);
    if (pool !== undefined) return pool;
    const known = roll.pools.map((each) => each.name);
    const reason = `no servants ${JSON.stringify(name)}${didYouMean(name, known)}; there are ${known.join(', ')}`;
    throw new ElderError('not_found', reason);
  }

  #check({ name, least, max }: ServantPool, wanted: number | 'auto'): void {
    if (wanted === 'auto') {
      if (this.#options.config.scaling.auto) return;
      throw new ElderError('conflict', 'the automatic is off: `scaling.auto` is false in the configuration');
    }
    if (wanted >= least && wanted <= max) return;
    const where = name === 'servant' ? '`scaling.max`' : `\`scaling.groups.${name}.max\``;
    throw new ElderError('usage', `${name}: ${least} to ${max} are possible (${where}), not ${wanted}`);
  }

  #added(pool: ServantPool, wanted: number): string[] {
    const { elders } = this.#options;
    const names = numbersOf(pool, wanted).map(servantName);
    return names.filter((name) => elders.supervisor(name) === undefined);
  }

  #set(pool: ServantPool, count: number, by: 'human' | 'automatic', reason: string | null): void {
    const { roll } = this.#options;
    const before = roll.count(pool.name);
    roll.setCount(pool.name, count, by === 'human');
    this.#memories.delete(pool.name);
    this.#noteChange(pool.name, before, count, by, reason);
  }

  #noteChange(pool: string, from: number, to: number, by: ScaleChange['by'], reason: string | null): void {
    if (from === to) return;
    this.#last.set(pool, { at: Date.now(), from, to, by, reason });
    this.#options.onChange({ pool, from, to, by, reason });
  }

  /** What is on disk is what the next manager goes on with, so it is there before anything happens. */
  async #save(): Promise<void> {
    await this.#options.roll.save();
    this.touch();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      this.#woken = false;
      try {
        await this.#step();
      } catch (thrown) {
        if (!signal.aborted)
          this.#options.onHindered('the servants could not be scaled', asElderError(thrown));
      }
      this.#waits.look();
      if (!signal.aborted && !this.#woken) await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const { roll } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waits = roll.retiring.size > 0 || !this.#orders.areInForce(this.#view);
    const watches = roll.pools.some(({ name }) => roll.isAutomatic(name));
    const timer = waits || watches ? setTimeout(resolve, waits ? drainInterval : watchInterval) : undefined;
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  async #step(): Promise<void> {
    const { roll, elders, readStaff, onDraining } = this.#options;
    const servants = [...new Set([...roll.members, ...roll.retiring])];
    this.#view = await readStaff(servants).catch(() => null);
    await this.#decide();
    this.announce();
    for (const name of this.#drainingTold) if (!roll.retiring.has(name)) this.#drainingTold.delete(name);
    for (const name of roll.retiring) {
      if (this.#drainingTold.has(name)) continue;
      this.#drainingTold.add(name);
      onDraining(name);
    }
    await this.#end();
    for (const name of roll.members) {
      if (this.#stopped.signal.aborted) return;
      if (elders.supervisor(name) === undefined) await elders.admit(servantSpec(servantNumber(name) ?? 0));
    }
  }

  /** Ends the servants that have nothing left to do, or that no process plays any more. */
  async #end(): Promise<void> {
    const { roll, elders, onGone, mayEnd = isDrained } = this.#options;
    // Of what is decided from here on the task sage does not know.
    const inForce = this.#orders.areInForce(this.#view);
    for (const name of new Set([...roll.retiring, ...this.#ending])) {
      if (this.#stopped.signal.aborted) return;
      // Somebody may have wanted it back meanwhile; one whose end has begun comes back as a new process.
      if (!roll.retiring.has(name) && !this.#ending.has(name)) continue;
      const state = elders.supervisor(name)?.status.state;
      const played = state !== undefined && state !== 'failed' && state !== 'stopped';
      const drained = this.#view !== null && inForce && mayEnd(this.#view, this.#orders.revision, name);
      if (played && !drained && !this.#ending.has(name)) continue;
      this.#ending.add(name);
      await elders.dismiss(name);
      this.#ending.delete(name);
      roll.gone(name);
      await roll.save();
      onGone(name);
    }
  }

  async #decide(): Promise<void> {
    const { roll, config, requirePorts, onHindered } = this.#options;
    const view = this.#view;
    if (view === null || !this.#orders.areInForce(this.#view)) return;
    const now = Date.now();
    const { demand } = view;
    if (demand && Object.keys(demand.pools).length > 0 && now - demand.at > staleAfter) return;
    for (const pool of roll.pools.filter(({ name }) => roll.isAutomatic(name))) {
      const policy = { ...config.scaling, min: pool.min, max: pool.max };
      const memory = this.#memories.get(pool.name) ?? noMemory;
      const decision = decideCount(now, sightOf(pool, this.#options, view), policy, memory);
      this.#memories.set(pool.name, decision.memory);
      if (decision.reason === null) continue;
      try {
        await requirePorts(this.#added(pool, decision.count));
      } catch (error) {
        onHindered(`${pool.name} could not grow to ${decision.count}`, asElderError(error));
        continue;
      }
      this.#set(pool, decision.count, 'automatic', decision.reason);
      this.#memories.set(pool.name, decision.memory);
      await roll.save();
    }
  }
}
