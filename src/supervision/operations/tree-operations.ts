import type { Config } from '../../protocol/config.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import { didYouMean } from '../../protocol/nearest.ts';
import type { ElderSpec } from '../../protocol/roster.ts';
import { startGroups } from '../branches/branch-tree.ts';
import type { TreeElders } from '../elders/tree-elders.ts';
import type { ServantScaler } from '../scaling/servant-scaler.ts';
import { reloadPlan } from './reload-plan.ts';

interface TreeOperationsOptions {
  readonly elders: TreeElders;
  readonly scaler: Pick<ServantScaler, 'pools' | 'reconfigured' | 'grown'>;
  /** The elders that there are now and that are not being drained, in start order. */
  readonly specs: () => readonly ElderSpec[];
  /** The present configuration. */
  readonly config: () => Config;
  /** Reads the configuration anew. Throws `config_invalid`. */
  readonly load: (() => Promise<Config>) | undefined;
  /** Puts a configuration in force. */
  readonly onConfig: (config: Config) => void;
}

/** What people may ask of a tree that runs, besides to stop. */
export class TreeOperations {
  readonly #options: TreeOperationsOptions;

  constructor(options: TreeOperationsOptions) {
    this.#options = options;
  }

  /**
   * Puts a new process in the place of each of these elders, one after the other in the order of their start;
   * `null` means all. Resolves when all are ready. Throws `not_found` before anything is done, and what
   * hindered an elder, with those after it left as they were.
   */
  async restart(names: readonly string[] | null): Promise<void> {
    const chosen = this.#choose(names);
    await this.#options.elders.restarts.plan(() => this.#handOver(chosen));
  }

  /**
   * Puts the changed configuration in force and restarts those elders, and only those, that it concerns;
   * resolves to the settings that changed. Throws `config_invalid`, or `conflict` for a setting that
   * cannot change while the tree runs; nothing has changed then.
   */
  async reload(): Promise<readonly string[]> {
    const { elders, scaler, specs, config, load, onConfig } = this.#options;
    if (load === undefined)
      throw new ElderError('not_implemented', 'this manager cannot read a configuration');
    const { changed, scaled } = await elders.restarts.plan(async () => {
      const next = await load();
      const { changed, fixed, first, restart } = reloadPlan(config(), next, {
        present: specs().map(({ name }) => name),
        pools: scaler.pools,
      });
      if (fixed.length > 0) {
        const which = fixed.join(', ');
        throw new ElderError(
          'conflict',
          `only \`elders down\` and \`up\` can change ${which}; nothing was changed`,
        );
      }
      onConfig(next);
      if (changed.length > 0) elders.reconfigured();
      await this.#handOver(this.#choose(first));
      const scaled = await scaler.reconfigured();
      // What the configuration takes away need not be restarted.
      const present = new Set(specs().map(({ name }) => name));
      await this.#handOver(this.#choose(restart.filter((name) => present.has(name))));
      return { changed, scaled };
    });
    // Servants come and go by plans of their own.
    for (const pool of scaled) await scaler.grown(pool);
    return changed;
  }

  #choose(names: readonly string[] | null): ElderSpec[] {
    const specs = this.#options.specs();
    for (const name of names ?? []) {
      if (specs.some((spec) => spec.name === name)) continue;
      const known = specs.map((spec) => spec.name);
      throw new ElderError('not_found', `no elder ${JSON.stringify(name)}${didYouMean(name, known)}`);
    }
    return startGroups({ config: this.#options.config(), specs })
      .flat()
      .filter(({ name }) => names === null || names.includes(name));
  }

  async #handOver(specs: readonly ElderSpec[]): Promise<void> {
    for (const [index, spec] of specs.entries()) {
      try {
        await this.#options.elders.restarts.handOver(spec);
      } catch (thrown) {
        const { code, reason } = asElderError(thrown);
        const rest = specs.slice(index + 1).map(({ name }) => name);
        const left = rest.length === 0 ? '' : `; not restarted: ${rest.join(', ')}`;
        throw new ElderError(code, `${spec.name}: ${reason}${left}`);
      }
    }
  }
}
