import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '../messaging/broker.ts';

const retryMs = 1_000;

/** The events for people, as this process hears them; any of them may be lost. */
export class Events {
  readonly #emitter = new EventEmitter({ captureRejections: false });
  readonly #closing = new AbortController();
  #subscribed: Promise<void> = Promise.resolve();
  #unsubscribe: (() => Promise<void>) | null = null;

  constructor() {
    this.#emitter.setMaxListeners(0);
  }

  /** Begins to listen; whoever waits for an event does without as long as Redis does not let it. */
  open(broker: Broker): void {
    this.#subscribed = this.#subscribe(broker);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#subscribed;
    await this.#unsubscribe?.();
  }

  async #subscribe(broker: Broker): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#unsubscribe = await broker.subscribe((text) => this.#hear(text));
        return;
      } catch {
        await delay(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  #hear(text: string): void {
    const event = JSON.parse(text) as { directiveId?: unknown };
    if (typeof event.directiveId === 'string') this.#emitter.emit(event.directiveId);
  }

  /** Resolves at the next event about a directive, or when the signal aborts. */
  async next(directiveId: string, signal: AbortSignal): Promise<void> {
    await once(this.#emitter, directiveId, { signal }).catch(() => {});
  }
}
