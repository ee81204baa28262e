import { once } from 'node:events';
import { ElderError } from '../../protocol/errors.ts';
import { servantName } from '../../protocol/roster.ts';
import { numbersOf, type ServantPool } from '../../protocol/servant-pools.ts';
import type { PoolSources } from './pool-view.ts';

/** Waits until what somebody wants of a pool has come about. */
export class PoolWaits {
  readonly #servants: PoolSources;
  readonly #signal: AbortSignal;
  readonly #changed = new EventTarget();

  /** All waits end with the signal. */
  constructor(servants: PoolSources, signal: AbortSignal) {
    this.#servants = servants;
    this.#signal = signal;
  }

  /** Has all who wait look again. */
  look(): void {
    this.#changed.dispatchEvent(new Event('change'));
  }

  /**
   * Resolves when every servant that is wanted is ready and none of the pool is being drained. Rejects with `start_failed`, or
   * `conflict` where somebody wants another number meanwhile.
   */
  async settled(pool: ServantPool, wanted: number): Promise<void> {
    await this.ready(pool, wanted);
    const { roll } = this.#servants;
    const draining = () => [...roll.retiring].some((name) => roll.poolOf(name)?.name === pool.name);
    while (draining()) {
      await this.#next();
      this.#requireInForce(pool, wanted);
    }
  }

  /** Resolves when every servant of a pool is ready. Rejects with `start_failed`. */
  async ready(pool: ServantPool, wanted?: number): Promise<void> {
    const { roll, elders } = this.#servants;
    for (;;) {
      if (wanted !== undefined) this.#requireInForce(pool, wanted);
      const states = numbersOf(pool, roll.count(pool.name)).map((number) => {
        const status = elders.supervisor(servantName(number))?.status;
        if (status?.state === 'failed' || (status?.state === 'stopped' && status.reason !== null)) {
          throw new ElderError('start_failed', `${status.name}: ${status.reason}`);
        }
        return status?.state;
      });
      if (states.every((state) => state === 'ready')) return;
      await this.#next();
    }
  }

  #requireInForce(pool: ServantPool, wanted: number): void {
    const count = this.#servants.roll.count(pool.name);
    if (count === wanted) return;
    throw new ElderError('conflict', `meanwhile somebody has asked for ${count} of ${pool.name}`);
  }

  async #next(): Promise<void> {
    await once(this.#changed, 'change', { signal: this.#signal }).catch(() => undefined);
    this.#signal.throwIfAborted();
  }
}
