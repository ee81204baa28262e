import type { Outgoing } from '../messaging/broker.ts';
import { encodeMessage } from '../messaging/codec.ts';
import { type Action, actionSpec } from '../protocol/actions.ts';
import { ElderError } from '../protocol/errors.ts';
import { laneOf } from '../protocol/lanes.ts';
import type { JournalLine } from '../protocol/local-api.ts';
import { type ElderMessage, maxHops, wireVersion } from '../protocol/message.ts';
import { maySend } from '../protocol/permissions.ts';
import { isServant } from '../protocol/roster.ts';
import type { AskRow } from './asks.ts';
import type { AskOptions, Context, Effect, Json, OrderedTable, SendOptions, Table } from './core.ts';
import { type OutEdge, outEdge } from './full-edges.ts';
import type { StateStore } from './state-store.ts';

/** What an elder is and what it may ask of the world; the same for all its steps. */
export interface Surroundings {
  readonly name: string;
  readonly incarnation: number;
  readonly pid: number;
  readonly servants: readonly string[];
  readonly state: StateStore;
  readonly commitNumber: () => number;
  readonly now: () => number;
  readonly newId: () => string;
  readonly log: Context['log'];
}

/** How much of a step was there at some moment. */
export interface Mark {
  readonly state: number;
  readonly send: number;
  readonly effects: number;
  readonly events: number;
}

/**
 * One step of an elder: everything that its handlers change, send and want done, gathered for one commit.
 * A part can be undone, so one failing message does not take the others of its batch with it.
 */
export class Step {
  readonly #around: Surroundings;
  readonly send: Outgoing[] = [];
  readonly effects: Effect[] = [];
  readonly events: string[] = [];
  readonly journal: JournalLine[] = [];
  /** How many parts of this step write to each edge. */
  readonly used = new Map<OutEdge, number>();
  #partBegin = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  mark(): Mark {
    return {
      state: this.#around.state.mark(),
      send: this.send.length,
      effects: this.effects.length,
      events: this.events.length,
    };
  }

  undo(mark: Mark): void {
    this.#around.state.rollback(mark.state);
    this.send.length = mark.send;
    this.effects.length = mark.effects;
    this.events.length = mark.events;
  }

  /** Begins a part: one message, input or timer, which stays in the step or is undone as a whole. */
  beginPart(): Mark {
    this.#partBegin = this.send.length;
    return this.mark();
  }

  /** Counts the messages that the present part sends, by edge. */
  partEdges(): Map<OutEdge, number> {
    const counts = new Map<OutEdge, number>();
    for (let index = this.#partBegin; index < this.send.length; index += 1) {
      const { target, lane } = this.send[index] as Outgoing;
      const edge = outEdge(target, lane);
      counts.set(edge, (counts.get(edge) ?? 0) + 1);
    }
    return counts;
  }

  /** Notes that the present part stays. */
  keepPart(edges: Iterable<OutEdge>): void {
    for (const edge of edges) this.used.set(edge, (this.used.get(edge) ?? 0) + 1);
  }

  /** Builds the context in which a core handles `cause`, or acts of itself when there is none. */
  context(cause: ElderMessage | null): Context {
    const around = this.#around;
    return {
      self: around.name,
      incarnation: around.incarnation,
      pid: around.pid,
      commitNumber: around.commitNumber(),
      servants: around.servants,
      now: around.now,
      newId: around.newId,
      log: around.log,
      table: <Row>(name: string): Table<Row> => around.state.table<Row>(name),
      ordered: <Row>(name: string): OrderedTable<Row> => around.state.ordered<Row>(name),
      send: (target, action, payload, options = {}) => this.#post(cause, target, action, payload, options),
      ask: (target, action, payload, options) => this.#ask(cause, target, action, payload, options),
      cancelAsk: (id) => {
        const asks = around.state.table<AskRow>('@asks');
        const waits = asks.has(id);
        asks.delete(id);
        return waits;
      },
      effect: (effect) => void this.effects.push(effect),
      announce: (event) =>
        void this.events.push(JSON.stringify({ at: around.now(), by: around.name, ...event })),
    };
  }

  #post(
    cause: ElderMessage | null,
    target: string,
    action: Action,
    payload: object,
    options: SendOptions,
  ): string {
    const around = this.#around;
    const verdict = maySend(around.name, target, action);
    if (!verdict.allowed) throw new ElderError('denied', verdict.rule);
    // Redis knows no right to an edge that is not in this tree and would refuse the whole commit, for ever.
    if (isServant(target) && !around.servants.includes(target)) {
      throw new ElderError('not_found', `there is no ${target} in this tree`);
    }
    const spec = actionSpec(action);
    const checked = spec.payload.safeParse(payload);
    if (!checked.success) {
      const [issue] = checked.error.issues;
      throw new ElderError('malformed', `${action}: ${issue?.path.join('.')}: ${issue?.message}`);
    }
    const hops = (cause?.hops ?? -1) + 1;
    if (hops > maxHops)
      throw new ElderError('conflict', `${action}: more than ${maxHops} messages in one chain`);
    const id = around.newId();
    const now = around.now();
    const priority = options.priority ?? 5;
    const message: ElderMessage = {
      message_id: id,
      source_elder: around.name,
      target_elder: target,
      message_type: spec.type,
      payload: checked.data as ElderMessage['payload'],
      priority,
      timestamp: new Date(now).toISOString(),
      requires_ack: options.requiresAck ?? false,
      action,
      correlation_id: options.correlationId ?? cause?.correlation_id ?? id,
      hops,
      v: wireVersion,
    };
    const causation = options.causationId ?? cause?.message_id;
    if (causation !== undefined) message.causation_id = causation;
    if (options.expiresInMs !== undefined)
      message.expires_at = new Date(now + options.expiresInMs).toISOString();
    this.send.push({ target, lane: spec.lane ?? laneOf(spec.type, priority), body: encodeMessage(message) });
    return id;
  }

  #ask(
    cause: ElderMessage | null,
    target: string,
    action: Action,
    payload: object,
    { deadlineMs, then, data, ...options }: AskOptions,
  ): string {
    const id = this.#post(cause, target, action, payload, { expiresInMs: deadlineMs, ...options });
    const row: AskRow = {
      target,
      action,
      then,
      data: data as Json,
      deadlineAt: this.#around.now() + deadlineMs,
    };
    this.#around.state.table<AskRow>('@asks').put(id, row);
    return id;
  }
}
