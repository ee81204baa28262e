import { EventEmitter, once } from 'node:events';
import type { Broker } from '../messaging/broker.ts';

/** The events for people, as this process hears them; any of them may be lost. */
export class Events {
  readonly #emitter = new EventEmitter({ captureRejections: false });
  #unsubscribe: (() => Promise<void>) | null = null;

  constructor() {
    this.#emitter.setMaxListeners(0);
  }

  async open(broker: Broker): Promise<void> {
    this.#unsubscribe = await broker.subscribe((text) => this.#hear(text));
  }

  async close(): Promise<void> {
    await this.#unsubscribe?.();
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
