import { replyArray } from '../messaging/redis/replies.ts';
import { commitNumberField } from '../messaging/reserved-fields.ts';
import { treeKeys } from '../protocol/keys.ts';
import type { RedisAdmin } from './redis-admin.ts';

interface Seen {
  readonly incarnation: number;
  readonly commits: number;
}

/** A principal of which Redis holds less than it did. */
export interface Loss {
  readonly name: string;
  readonly reason: string;
}

interface RedisWatchOptions {
  readonly admin: RedisAdmin;
  readonly tree: string;
  readonly principals: readonly string[];
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
  readonly #seen = new Map<string, Seen>();

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
    const losses: Loss[] = [];
    for (const [name, now] of await this.#read()) {
      const before = this.#seen.get(name);
      this.#seen.set(name, now);
      if (before === undefined) continue;
      if (now.commits < before.commits) {
        losses.push({ name, reason: `${name} was at commit ${before.commits}, Redis is at ${now.commits}` });
      } else if (now.incarnation < before.incarnation) {
        const reason = `${name} was at incarnation ${before.incarnation}, Redis is at ${now.incarnation}`;
        losses.push({ name, reason });
      }
    }
    if (losses.length > 0) onLoss(losses);
  }

  async #read(): Promise<[string, Seen][]> {
    const { admin, tree, principals } = this.#options;
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
