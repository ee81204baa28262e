import type { Outgoing } from '../messaging/broker.ts';
import { encodeParts } from '../messaging/codec.ts';
import { Journal } from '../messaging/journal.ts';
import { type Action, actionSpec } from '../protocol/actions.ts';
import { ElderError } from '../protocol/errors.ts';
import { laneOf } from '../protocol/lanes.ts';
import { type ElderMessage, maxHops, wireVersion } from '../protocol/message.ts';
import { chainOfSend, maySendFor } from '../protocol/permissions.ts';
import { isServant } from '../protocol/roster.ts';
import type { AskRow } from './asks.ts';
import { type Happening, noteHappening } from './audit-trail.ts';
import type { AskOptions, Context, Effect, Json, OrderedTable, SendOptions, Table } from './core.ts';
import type { Deadlines } from './deadlines.ts';
import { type OutEdge, outEdge } from './full-edges.ts';
import type { StateStore } from './state-store.ts';

/** What an elder is and what it may ask of the world; the same for all its steps. */
export interface Surroundings {
  readonly name: string;
  readonly incarnation: number;
  readonly pid: number;
  readonly servants: readonly string[];
  readonly state: StateStore;
  /** Of the questions that are open. */
  readonly deadlines: Deadlines;
  readonly commitNumber: () => number;
  readonly now: () => number;
  readonly newId: () => string;
  readonly log: Context['log'];
}

const noEdges: ReadonlyMap<OutEdge, number> = new Map();

let lastTime = { ms: 0, text: '' };

/** Writes a time; messages of one ms share the text. */
function timestampOf(ms: number): string {
  if (ms !== lastTime.ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return lastTime.text;
}

/** How much of a step was there at some moment. */
export interface Mark {
  readonly state: number;
  readonly send: number;
  readonly length: number;
  readonly effects: number;
  readonly events: number;
  readonly denials: number;
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
  readonly journal = new Journal();
  /** What was refused; it stands in the audit log though all that led to it is undone. */
  readonly denials: Happening[] = [];
  /** How many parts of this step write to each edge. */
  readonly used = new Map<OutEdge, number>();
  /** Characters of all messages that this step sends. */
  length = 0;
  #partBegin = 0;
  #own: Context | null = null;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  get deadlines(): Deadlines {
    return this.#around.deadlines;
  }

  mark(): Mark {
    return {
      state: this.#around.state.mark(),
      send: this.send.length,
      length: this.length,
      effects: this.effects.length,
      events: this.events.length,
      denials: this.denials.length,
    };
  }

  undo(mark: Mark): void {
    this.#around.state.rollback(mark.state);
    this.send.length = mark.send;
    this.length = mark.length;
    this.effects.length = mark.effects;
    this.events.length = mark.events;
  }

  /** Undoes a part that is to be done all over later, with what was refused in it. */
  withdraw(mark: Mark): void {
    this.undo(mark);
    this.denials.length = mark.denials;
  }

  /** Begins a part: one message, input or timer, which stays in the step or is undone as a whole. */
  beginPart(): Mark {
    this.#partBegin = this.send.length;
    return this.mark();
  }

  /** Counts the messages that the present part sends, by edge. */
  partEdges(): ReadonlyMap<OutEdge, number> {
    if (this.send.length === this.#partBegin) return noEdges;
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

  /**
   * Gives the context in which a core handles `cause`, or acts of itself when there is none. `chain`: on whose
   * behalf it asks for what is not its own duty.
   */
  context(cause: ElderMessage | null, chain?: readonly string[]): Context {
    if (cause || chain) return this.#newContext(cause, chain ?? chainOf(cause));
    this.#own ??= this.#newContext(null, chainOf(null));
    return this.#own;
  }

  #newContext(cause: ElderMessage | null, chain: readonly string[]): Context {
    const around = this.#around;
    const context: Context = {
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
      send: (target, action, payload, options = {}) =>
        this.#post(cause, chain, target, action, payload, options),
      ask: (target, action, payload, options) => this.#ask(cause, chain, target, action, payload, options),
      cancelAsk: (id) => {
        const asks = around.state.table<AskRow>('@asks');
        const waits = asks.has(id);
        asks.delete(id);
        return waits;
      },
      effect: (effect) => void this.effects.push(effect),
      audit: (entry) => noteHappening(context, entry),
      announce: (event) =>
        void this.events.push(JSON.stringify({ at: around.now(), by: around.name, ...event })),
    };
    return context;
  }

  #post(
    cause: ElderMessage | null,
    chain: readonly string[],
    target: string,
    action: Action,
    payload: object,
    options: SendOptions,
  ): string {
    const around = this.#around;
    const onBehalfOf = chainOfSend(around.name, action, chain);
    const verdict = maySendFor(around.name, target, action, onBehalfOf);
    if (!verdict.allowed) {
      const asker = onBehalfOf[0] ?? around.name;
      this.denials.push({
        kind: 'denial',
        event: 'send',
        subject: asker,
        object: target,
        action,
        reason: verdict.rule,
      });
      throw new ElderError('denied', verdict.rule);
    }
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
      timestamp: timestampOf(now),
      requires_ack: options.requiresAck ?? false,
      action,
      correlation_id: options.correlationId ?? cause?.correlation_id ?? id,
      hops,
      v: wireVersion,
    };
    const causation = options.causationId ?? cause?.message_id;
    if (causation !== undefined) message.causation_id = causation;
    if (onBehalfOf.length > 0) message.on_behalf_of = [...onBehalfOf];
    if (options.expiresInMs !== undefined)
      message.expires_at = new Date(now + options.expiresInMs).toISOString();
    const { head, body } = encodeParts(message);
    this.length += body.length;
    this.send.push({ target, lane: spec.lane ?? laneOf(spec.type, priority), body, head });
    return id;
  }

  #ask(
    cause: ElderMessage | null,
    chain: readonly string[],
    target: string,
    action: Action,
    payload: object,
    { deadlineMs, then, data, ...options }: AskOptions,
  ): string {
    const id = this.#post(cause, chain, target, action, payload, { expiresInMs: deadlineMs, ...options });
    const row: AskRow = {
      target,
      action,
      then,
      data: data as Json,
      deadlineAt: this.#around.now() + deadlineMs,
      ...(chain.length > 0 && { chain }),
    };
    this.#around.state.table<AskRow>('@asks').put(id, row);
    this.#around.deadlines.add(id, row.deadlineAt);
    return id;
  }
}

/** On whose behalf a message was sent, its sender included: the sender is whom its edge belongs to, so it is no claim. */
function chainOf(cause: ElderMessage | null): readonly string[] {
  if (cause === null) return [];
  if (cause.on_behalf_of === undefined) return [cause.source_elder];
  return [...new Set([...(cause.on_behalf_of ?? []), cause.source_elder])];
}
