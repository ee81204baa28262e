import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../protocol/config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type FreshCertificate, keepFresh } from '../certificates/keep-fresh.ts';
import { cutConnections, listConnections } from './connection-age.ts';
import type { RedisAdmin } from './redis-admin.ts';
import type { RedisGate } from './redis-gate.ts';
import type { ManagedRedis } from './redis-server.ts';

interface RedisUpkeepOptions {
  readonly tree: string;
  readonly admin: RedisAdmin;
  /** `null` for a Redis of the user's, whose certificate and strangers are not ours. */
  readonly managed: ManagedRedis | null;
  readonly gate: RedisGate;
  readonly limits: Config['certificates'];
  readonly log: Logger;
}

/** A process replaces its connections itself; one that is this many times as old as it may be is cut. */
const longestAge = 1.5;
/** Redis counts ages in whole seconds, which may be one too many. */
const ageStepMs = 1_000;
/** Ms between two looks at the age of the connections. */
const ageLookMs = 30_000;
/** Whoever has not logged in after this long (ms) is cut. */
const loginMs = 10_000;
/** Ms before another try at giving Redis a new certificate. */
const renewalRetryMs = 500;

/** Keeps the certificate of a running Redis fresh and its connections young, until `stop` is called. */
export class RedisUpkeep {
  readonly #options: RedisUpkeepOptions;
  readonly #fresh: FreshCertificate | null;
  readonly #timer: NodeJS.Timeout;

  constructor(options: RedisUpkeepOptions) {
    this.#options = options;
    const { managed, limits, log } = options;
    this.#fresh =
      managed &&
      keepFresh({
        renewOnce: () => managed.renewCertificate(),
        lifetimeMs: limits.lifetime,
        fresh: false,
        onError: (error) => log.warn({ error }, 'the certificate of Redis was not renewed'),
      });
    const look = () => void this.#cutOldConnections().catch(() => undefined);
    this.#timer = setInterval(look, Math.min(ageLookMs, limits.connectionAge / 2));
  }

  stop(): void {
    this.#fresh?.stop();
    clearInterval(this.#timer);
  }

  /** Gives a managed Redis a new certificate and the present roots; tries until it takes them or the signal aborts. */
  async renewCertificate(signal: AbortSignal): Promise<void> {
    while (this.#fresh !== null) {
      await this.#options.gate.whenReady(signal);
      try {
        return await this.#fresh.renew();
      } catch {
        // Told by `onError`; it may be restarting.
        await delay(renewalRetryMs, undefined, { signal });
      }
    }
  }

  /** Notes which connections this tree's processes have now; the returned function ends those of them that are left. */
  async noteConnections(): Promise<() => Promise<void>> {
    const { admin, tree } = this.#options;
    const noted = await listConnections(admin, tree);
    const ids = noted.filter(({ user }) => user !== 'default').map(({ id }) => id);
    return () => this.#cut(ids);
  }

  /**
   * A certificate that is over does not end a connection. Elders replace theirs before; what is found too old
   * belongs to a process that hangs or that means to stay.
   */
  async #cutOldConnections(): Promise<void> {
    const { admin, tree, gate, managed, limits } = this.#options;
    if (!gate.ready) return;
    const longestMs = limits.connectionAge * longestAge + ageStepMs;
    const longestLoginMs = managed === null ? Infinity : loginMs;
    const old = (await listConnections(admin, tree)).filter(
      ({ user, ageMs }) => ageMs > (user === 'default' ? longestLoginMs : longestMs),
    );
    await this.#cut(old.map(({ id }) => id));
  }

  async #cut(ids: readonly string[]): Promise<void> {
    const count = await cutConnections(this.#options.admin, ids);
    if (count > 0) this.#options.log.warn({ count }, 'connections to Redis were cut for their age');
  }
}
