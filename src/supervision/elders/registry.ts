import { setTimeout as delay } from 'node:timers/promises';
import type { ElderStatus } from '../../protocol/process.ts';
import type { RedisAdmin } from '../redis/redis-admin.ts';

/**
 * Keeps the registry in Redis in step with what the manager knows. While Redis is away the newest status of
 * each elder waits in memory, and goes there when it is back.
 */
export class Registry {
  readonly #admin: RedisAdmin;
  readonly #retryDelay: number;
  readonly #closed = new AbortController();
  readonly #waiting = new Map<string, ElderStatus>();
  #writing: Promise<void> | null = null;

  /** `retryDelay`: ms between two tries while Redis is away. */
  constructor(admin: RedisAdmin, retryDelay: number) {
    this.#admin = admin;
    this.#retryDelay = retryDelay;
  }

  /** Notes the present status of an elder; never throws and never waits. */
  set(status: ElderStatus): void {
    if (this.#closed.signal.aborted) return;
    this.#waiting.set(status.name, status);
    this.#writing ??= this.#flush().finally(() => {
      this.#writing = null;
    });
  }

  /** Takes out an elder that is gone for good. Rejects as the connection does. */
  async forget(name: string): Promise<void> {
    this.#waiting.delete(name);
    await this.#writing;
    await this.#admin.deleteRegistry(name);
  }

  /** Writes no more; with `forget` it takes these names out, as far as Redis can be reached. */
  async close(forget: readonly string[] = []): Promise<void> {
    this.#closed.abort();
    await this.#writing;
    await Promise.all(forget.map((name) => this.#admin.deleteRegistry(name))).catch(() => undefined);
  }

  async #flush(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const [next] = this.#waiting.values();
      if (next === undefined) return;
      try {
        await this.#admin.setRegistry(next.name, JSON.stringify(next));
        if (this.#waiting.get(next.name) === next) this.#waiting.delete(next.name);
      } catch {
        await delay(this.#retryDelay, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
