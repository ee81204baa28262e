import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, Commit } from '../messaging/broker.ts';
import { encodeMessage } from '../messaging/codec.ts';
import { type Action, actionSpec, type IncidentReport, type PayloadInput } from '../protocol/actions.ts';
import { asElderError } from '../protocol/errors.ts';
import { laneOf } from '../protocol/lanes.ts';
import type { ElderMessage } from '../protocol/message.ts';

interface ManagerOutboxOptions {
  /** Opens a broker as the principal `manager` with an incarnation of its own; rejects while Redis is away. */
  readonly connect: () => Promise<Broker>;
  /** The most incidents that wait; beyond it the oldest is dropped and counted. */
  readonly limit: number;
  /** Ms between two tries while Redis refuses or the edge is full. */
  readonly retryDelay: number;
  readonly onError: (error: Error, waiting: number) => void;
}

const priority = 9;

/** A message that waits to be sent. */
type Waiting = Commit['send'][number] & { readonly action: Action };

function encode<A extends Action>(target: string, action: A, payload: PayloadInput<A>): Waiting {
  const { type, lane } = actionSpec(action);
  const message: ElderMessage = {
    message_id: randomUUID(),
    source_elder: 'manager',
    target_elder: target,
    message_type: type,
    action,
    payload: payload as ElderMessage['payload'],
    priority,
    timestamp: new Date().toISOString(),
    requires_ack: false,
    hops: 0,
    v: 1,
  };
  return { target, lane: lane ?? laneOf(type, priority), body: encodeMessage(message), action };
}

/**
 * Sends what the manager has to say: incidents, and which servants are given tasks. It waits in memory while it cannot
 * be sent, and each message is sent once: a commit whose answer was lost is sent again unchanged.
 */
export class ManagerOutbox {
  readonly #options: ManagerOutboxOptions;
  readonly #closed = new AbortController();
  #waiting: Waiting[] = [];
  #dropped = 0;
  #broker: Broker | null = null;
  #commitNumber = 0;
  /** A commit whose outcome is not known yet; it must be settled before the next is made. */
  #unsettled: Commit | null = null;
  #sending: Promise<void> | null = null;

  constructor(options: ManagerOutboxOptions) {
    this.#options = options;
  }

  /** How many incidents were lost because too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Queues an incident; never throws and never waits. */
  raise(report: IncidentReport): void {
    if (this.#closed.signal.aborted) return;
    if (this.#waiting.length >= this.#options.limit) {
      this.#waiting.splice(this.#unsettled === null ? 0 : 1, 1);
      this.#dropped += 1;
    }
    this.#waiting.push(encode('incident_sage', 'incident.raise', report));
    this.#begin();
  }

  /** Queues an order before all incidents; what was queued of the same action before is not sent any more. */
  order<A extends Action>(target: string, action: A, payload: PayloadInput<A>): void {
    if (this.#closed.signal.aborted) return;
    const [head, ...rest] = this.#waiting;
    const settled = this.#unsettled === null || head === undefined ? [] : [head];
    const others = (settled.length > 0 ? rest : this.#waiting).filter((waiting) => waiting.action !== action);
    this.#waiting = [...settled, encode(target, action, payload), ...others];
    this.#begin();
  }

  #begin(): void {
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = null;
    });
  }

  /** Drops what still waits and ends the connection. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#sending;
    await this.#broker?.close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closed.signal.aborted) {
      try {
        if (await this.#send()) continue;
      } catch (error) {
        this.#options.onError(asElderError(error), this.#waiting.length);
        await this.#reset(asElderError(error).code);
      }
      await delay(this.#options.retryDelay, undefined, { signal: this.#closed.signal }).catch(
        () => undefined,
      );
    }
  }

  /** A broken connection keeps its incarnation; anything else starts over with a new one. */
  async #reset(code: string): Promise<void> {
    if (code === 'redis_unreachable') return;
    const broker = this.#broker;
    this.#broker = null;
    await broker?.close().catch(() => undefined);
  }

  async #open(): Promise<Broker> {
    const broker = await this.#options.connect();
    try {
      const { commitNumber } = await broker.load();
      // What a lost answer left open is settled by the number alone: only this process commits as `manager`.
      if (this.#unsettled !== null && commitNumber >= this.#unsettled.number) this.#waiting.shift();
      this.#unsettled = null;
      this.#commitNumber = commitNumber;
    } catch (error) {
      await broker.close();
      throw error;
    }
    return broker;
  }

  /** Resolves to false when it is to be tried again after a while. */
  async #send(): Promise<boolean> {
    this.#broker ??= await this.#open();
    if (this.#waiting.length === 0) return true;
    this.#unsettled ??= this.#nextCommit();
    const answer = await this.#broker.commit(this.#unsettled);
    if (answer.kind === 'ok' || (answer.kind === 'stale' && answer.number === this.#unsettled.number)) {
      this.#commitNumber = this.#unsettled.number;
      this.#waiting.shift();
      this.#unsettled = null;
      return true;
    }
    if (answer.kind === 'full') this.#unsettled = null;
    else await this.#reset(answer.kind);
    return false;
  }

  /** One message per commit: an edge with room for one is then never too full. */
  #nextCommit(): Commit {
    const [{ target, lane, body }] = this.#waiting as [Waiting];
    return {
      number: this.#commitNumber + 1,
      set: new Map(),
      remove: new Set(),
      positions: new Map(),
      send: [{ target, lane, body }],
      journal: null,
    };
  }
}
