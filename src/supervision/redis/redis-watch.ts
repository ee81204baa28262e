import { replyArray } from '../../messaging/redis/replies.ts';
import { commitNumberField } from '../../messaging/reserved-fields.ts';
import { treeKeys } from '../../protocol/keys.ts';
import { HighWater, type Loss, type Mark } from './high-water.ts';
import type { RedisAdmin } from './redis-admin.ts';

interface RedisWatchOptions {
  readonly admin: RedisAdmin;
  readonly tree: string;
  /** Whose state is looked at; there may be more of them later. */
  readonly principals: () => readonly string[];
  /** Told when the commit function was gone and has been put back. */
  readonly onLibraryRestored: () => void;
  /** Told what a Redis that was flushed, restored or failed over no longer has. */
  readonly onLoss: (losses: readonly Loss[]) => void;
}

/**
 * Looks whether Redis still holds what it held before: the commit function, which is put back, and for each
 * principal its incarnation and its commit number, which only grow unless Redis has lost data.
 */
export class RedisWatch {
  readonly #options: RedisWatchOptions;
  readonly #highWater = new HighWater();

  constructor(options: RedisWatchOptions) {
    this.#options = options;
  }

  /** Looks once; not to be called while an earlier look is under way. Throws as `RedisAdmin` does. */
  async look(): Promise<void> {
    const { admin, onLibraryRestored, onLoss } = this.#options;
    if (!(await admin.hasLibrary())) {
      await admin.loadLibrary();
      onLibraryRestored();
    }
    // Before they are read: what is begun in between is seen at the next look.
    for (const [name, incarnation] of admin.users.begun) this.#highWater.begun(name, incarnation);
    const losses = this.#highWater.advance(await this.#read());
    if (losses.length > 0) onLoss(losses);
  }

  async #read(): Promise<[string, Mark][]> {
    const { admin, tree } = this.#options;
    const principals = this.#options.principals();
    const keys = treeKeys(tree);
    const [incarnations, ...commits] = await Promise.all([
      admin.command(['MGET', ...principals.map((name) => keys.incarnation(name))]),
      ...principals.map((name) => admin.command(['HGET', keys.state(name), commitNumberField])),
    ]);
    const numbers = replyArray(incarnations, 'incarnations');
    return principals.map((name, index) => [
      name,
      { incarnation: Number(numbers[index] ?? 0), commits: Number(commits[index] ?? 0) },
    ]);
  }
}
