import type { Action, PayloadInput, PayloadOf, ReplyOf } from '../protocol/actions.ts';
import type { AuditEntry } from '../protocol/audit.ts';
import type { WireError } from '../protocol/errors.ts';
import type { ElderMessage } from '../protocol/message.ts';

/** JSON that a core may keep. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A table of a core's durable state: changes stand in the next commit or are undone with it. */
export interface Table<Row> {
  get(id: string): Row | undefined;
  /** Stores a row; it is encoded at once, so changing the object afterwards changes nothing. */
  put(id: string, row: Row): void;
  delete(id: string): void;
  has(id: string): boolean;
  readonly size: number;
  entries(): IterableIterator<[string, Row]>;
}

/** Where a row stands in the order of its table: in which group, and there by the least rank, number by number. */
export interface Place {
  readonly group: string;
  readonly rank: readonly number[];
}

/** A table whose rows are also found by their order; the core names it in `orders`. */
export interface OrderedTable<Row> extends Table<Row> {
  /** The groups that hold a row, each once. */
  groups(): IterableIterator<string>;
  /** How many rows a group holds. */
  count(group: string): number;
  /** The row of a group with the least rank. */
  first(group: string): { readonly id: string; readonly row: Row } | undefined;
}

/** Gives the place of a row in the order of its table; a function of the row alone. */
export type Order = (row: never) => Place;

/** How a message is sent; all of it is optional. */
export interface SendOptions {
  readonly priority?: number;
  readonly correlationId?: string;
  /** The message that this one follows from, where it is not the one being handled. */
  readonly causationId?: string;
  readonly requiresAck?: boolean;
  /** The receiver does not act on it after this many ms. */
  readonly expiresInMs?: number;
}

/** How a question is asked. The continuation is named, not passed, because the asker may restart meanwhile. */
export interface AskOptions extends SendOptions {
  readonly deadlineMs: number;
  /** Key of the core's `continuations`. */
  readonly then: string;
  /** Handed back to the continuation. */
  readonly data: Json;
}

/** The answer to a question: a result, or why there is none (`timed_out` when the deadline passed). */
export type Answer<A extends Action = Action> =
  | { readonly ok: true; readonly result: ReplyOf<A> }
  | { readonly ok: false; readonly error: WireError };

/** Something outside Redis that a core wants done once its commit has landed, such as running a command. */
export interface Effect {
  readonly kind: string;
  readonly [key: string]: unknown;
}

/** All that a core may know or do: the clock, ids and chance come in here, so the same code runs simulated. */
export interface Context {
  readonly self: string;
  readonly incarnation: number;
  readonly pid: number;
  readonly commitNumber: number;
  /** Names of this tree's servants. */
  readonly servants: readonly string[];
  /** Ms since the epoch. */
  now(): number;
  /** A new unique id. */
  newId(): string;
  /** Opens a table of the durable state. */
  table<Row>(name: string): Table<Row>;
  /** Opens a table that the core has an order for. */
  ordered<Row>(name: string): OrderedTable<Row>;
  /** Sends a message with the commit of this step and gives its id. Throws `denied` where no edge or right allows it. */
  send<A extends Action>(target: string, action: A, payload: PayloadInput<A>, options?: SendOptions): string;
  /** Sends a question; its answer, or `timed_out`, reaches the continuation exactly once, after a restart too. */
  ask<A extends Action>(target: string, action: A, payload: PayloadInput<A>, options: AskOptions): string;
  /** Withdraws a question: its continuation will not run, an answer is counted as late. Gives whether it still waited. */
  cancelAsk(id: string): boolean;
  /** Does something outside once the commit has landed; its completion comes back through `onInput`. */
  effect(effect: Effect): void;
  /** Has something stand in the audit log, with the commit of this step. Who says so and when is filled in. */
  audit(entry: Omit<AuditEntry, 'by' | 'from'>): void;
  /** Tells people that something happened; may be lost. */
  announce(event: { readonly kind: string; readonly [key: string]: Json }): void;
  readonly log: {
    info(fields: object, text: string): void;
    warn(fields: object, text: string): void;
  };
}

/** Returned by a handler that does not know the answer yet. */
export const answersLater = Symbol('answers later');

/** A message that a handler gets: checked, and its payload parsed by the schema of its action. */
export interface Received<A extends Action> {
  readonly message: ElderMessage;
  readonly source: string;
  readonly payload: PayloadOf<A>;
}

/**
 * Handles one action. What it returns is the answer to a query, or to a command that was asked with
 * `ctx.ask`; `answersLater` says that it will send `reply.result` or `reply.error` itself. What it throws as an `ElderError` is the answer too, and undoes what it changed.
 */
export type Handler<A extends Action> = (
  ctx: Context,
  received: Received<A>,
) => ReplyOf<A> | typeof answersLater | undefined | void;

/** The logic of a role: a deterministic function of its state, what comes in, and the context. */
export interface Core {
  readonly handlers: { readonly [A in Action]?: Handler<A> };
  /** By name: what goes on when an answer comes. */
  readonly continuations?: Readonly<Record<string, (ctx: Context, answer: Answer, data: Json) => void>>;
  /** By table: the order in which its rows are found. It is kept in memory, not in the state. */
  readonly orders?: Readonly<Record<string, Order>>;
  /** Runs once per incarnation, before the first message. */
  onStart?(ctx: Context): void;
  /** Runs for what comes from the process itself: a finished effect, a request from a socket. Its result goes to whoever gave the input. */
  onInput?(ctx: Context, input: Effect): Json | void;
  /** When (ms since the epoch) `onWake` wants to run; asked after each commit. */
  wakeAt?(ctx: Context): number | undefined;
  onWake?(ctx: Context): void;
  /** Whether nothing is under way outside Redis; asked while the process drains. Absent means always. */
  isIdle?(ctx: Context): boolean;
}
