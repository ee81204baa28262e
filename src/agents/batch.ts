import type { Position } from '../messaging/broker.ts';
import { ElderError } from '../protocol/errors.ts';
import type { EdgeKey } from '../protocol/keys.ts';
import { readWindow } from '../protocol/lanes.ts';
import type { JournalLine } from '../protocol/local-api.ts';
import { admit, excessOf, refuseExcess } from './admission.ts';
import type { AgentOptions } from './agent-options.ts';
import { expireAsks } from './asks.ts';
import { bury, noteFailure, settle, spent, withdrawFailure } from './attempts.ts';
import { type Happening, noteDenials, sendHappenings } from './audit-trail.ts';
import type { Json } from './core.ts';
import { endReplay, hasReplays, pendingReplays, toEntry } from './dead-letters.ts';
import type { Admission, FullEdges } from './full-edges.ts';
import type { Delivered, Inbox } from './inbox.ts';
import type { Input, Inputs } from './inputs.ts';
import { giveUp, type Outcome, receive } from './receiver.ts';
import type { Mark, Step } from './step.ts';

/** What the batches of an agent share. */
export interface Desk {
  readonly options: AgentOptions;
  readonly inbox: Inbox;
  readonly inputs: Inputs;
  readonly fullEdges: FullEdges;
  /** Timers whose messages found no room are not tried again before these times (ms). */
  readonly holds: { asks: number; wake: number; replay: number; audit: number };
  /** Denials on their way to the audit log whose causes will not come again. */
  readonly denials: Happening[];
  /** Names of suspects whose next try is counted already. */
  readonly counted: Set<string>;
}

/** Messages after which a commit is complete, so that few are suspected when the process dies. */
export const batchLimit = 512;
/** Characters sent after which a commit is complete. */
const batchLength = 524_288;
/** Inputs of one window. */
const inputLimit = 64;

/** Names an entry among all that an elder reads. */
export function nameOf({ edge, id }: Delivered): string {
  return `${edge} ${id}`;
}

/** Writes down what became of an entry, for the journal. */
export function journalLine(
  entry: Delivered,
  id: string | null,
  tries: number,
  error: ElderError | null,
): JournalLine {
  const line = { e: entry.edge, i: entry.id, m: id, d: entry.deliveredAt, t: tries };
  return error ? { ...line, x: { code: error.code, reason: error.reason } } : line;
}

/**
 * What one commit handles, one window after another: inputs, timers, replays and entries. All of it is put back
 * when the commit finds no room.
 */
export class Batch {
  readonly step: Step;
  readonly positions = new Map<EdgeKey, Position>();
  /** Whether an entry was left for later, because what it sends finds no room. */
  held = false;
  /** Whether something was left for the next commit, because an edge takes no more of this one. */
  #closed = false;
  readonly #desk: Desk;
  readonly #entries: Delivered[] = [];
  readonly #answers: { readonly input: Input; readonly result: Json | undefined }[] = [];
  readonly #denials: Happening[] = [];
  /** To be told once the step has landed. */
  readonly #outcomes: { readonly outcome: Outcome; readonly entry: Delivered; readonly tries: number }[] = [];

  constructor(desk: Desk, step: Step) {
    this.#desk = desk;
    this.step = step;
  }

  /** Whether no other window may be added. */
  get complete(): boolean {
    return this.#closed || this.step.journal.count >= batchLimit || this.step.length >= batchLength;
  }

  /** Handles what is due, and what came in up to the size of a read window. */
  window(): void {
    const { inbox, options } = this.#desk;
    this.handleOthers();
    const limit = Math.min(readWindow, batchLimit - this.step.journal.count);
    if (limit > 0) this.handle(inbox.pick(limit, options.clock.now()), false);
    this.report();
  }

  /** Handles what is due and does not come from an edge. */
  handleOthers(): void {
    this.#takeInputs();
    this.#runTimers();
    this.#replay();
  }

  /** Tells everybody concerned that the step has landed. */
  landed(): void {
    for (const { input, result } of this.#answers) input.resolve(result);
    const { counted, options } = this.#desk;
    const now = options.clock.now();
    for (const { outcome, entry, tries } of this.#outcomes) {
      if (counted.size > 0) counted.delete(nameOf(entry));
      this.#tell(outcome, entry, now);
      if (outcome.kind !== 'retry') continue;
      const { message, error } = outcome;
      const facts = { messageId: message.message_id, error: error.message, tries };
      options.log.warn(facts, 'to be tried again');
    }
  }

  /** Puts everything back, because the step found no room and is undone. */
  putBack(): void {
    this.#desk.inbox.putBack(this.#entries);
    this.#desk.inputs.putBack(this.#answers.map(({ input }) => input));
    this.#desk.denials.push(...this.#denials);
  }

  /** Tells whoever waits for an answer that there will be none. */
  failed(error: unknown): void {
    for (const { input } of this.#answers) input.reject(error);
  }

  #admit(mark: Mark): Admission {
    const { fullEdges, options } = this.#desk;
    const admission = admit(this.step, mark, fullEdges, options.clock.now());
    if (admission.kind === 'later') this.#closed = true;
    return admission;
  }

  /** Hands the core what came from this process. */
  #takeInputs(): void {
    const { core, clock, edgeLimit } = this.#desk.options;
    const { inputs } = this.#desk;
    const step = this.step;
    const now = clock.now();
    const back: Input[] = [];
    let waiting = false;
    for (const input of inputs.take(inputLimit, now)) {
      if (this.complete || (waiting && input.whenFull === 'wait')) {
        back.push(input);
        continue;
      }
      const mark = step.beginPart();
      let result: Json | undefined;
      try {
        result = core.onInput?.(step.context(null), input.effect) as Json | undefined;
        refuseExcess(step, edgeLimit);
      } catch (error) {
        step.undo(mark);
        this.#desk.denials.push(...step.denials.splice(mark.denials));
        input.reject(error);
        continue;
      }
      const admission = this.#admit(mark);
      if (admission.kind === 'go') {
        this.#answers.push({ input, result });
      } else if (admission.kind === 'full' && input.whenFull === 'fail') {
        input.reject(new ElderError('edge_full', `the edge to ${admission.edge} is full`));
      } else {
        back.push(input);
        if (input.whenFull === 'wait') waiting = true;
        if (admission.kind === 'full') inputs.holdBack(admission.until);
      }
    }
    inputs.putBack(back);
  }

  /** Lets deadlines of questions end and the core wake, where their time has come. */
  #runTimers(): void {
    const { core, clock, edgeLimit } = this.#desk.options;
    const { holds } = this.#desk;
    const step = this.step;
    const now = clock.now();
    expireAsks(core, step, (mark) => {
      refuseExcess(step, edgeLimit);
      const admission = this.#admit(mark);
      if (admission.kind === 'full') holds.asks = admission.until;
    });
    const ctx = step.context(null);
    const wakeAt = core.wakeAt?.(ctx);
    if (wakeAt === undefined || wakeAt > now || holds.wake > now) return;
    const mark = step.beginPart();
    core.onWake?.(ctx);
    refuseExcess(step, edgeLimit);
    const admission = this.#admit(mark);
    if (admission.kind === 'full') holds.wake = admission.until;
  }

  /** Sends what is to stand in the audit log; where its edge has no room, that waits and nothing else does. */
  report(): void {
    const { holds, options, denials } = this.#desk;
    const ctx = this.step.context(null);
    const fresh = denials.splice(0);
    this.#denials.push(...fresh);
    noteDenials(ctx, fresh);
    if (holds.audit > options.clock.now()) return;
    for (;;) {
      const mark = this.step.beginPart();
      if (!sendHappenings(ctx)) return;
      const admission = this.#admit(mark);
      if (admission.kind === 'go') continue;
      if (admission.kind === 'full') holds.audit = admission.until;
      return;
    }
  }

  /** Has entries handled; `counted` says that their tries are noted already. */
  handle(entries: readonly Delivered[], counted: boolean): void {
    const held = new Set<EdgeKey>();
    const back: Delivered[] = [];
    for (const entry of entries) {
      if (held.has(entry.edge) || !this.#handleOne(entry, counted)) {
        held.add(entry.edge);
        back.push(entry);
      }
    }
    this.#desk.inbox.putBack(back);
  }

  /** Handles one entry; `false` when it stays at the head of its edge. */
  #handleOne(entry: Delivered, counted: boolean): boolean {
    const { attempts } = this.#desk.options;
    const step = this.step;
    const mark = step.beginPart();
    const ctx = step.context(null);
    if (counted) withdrawFailure(ctx, entry);
    const tries = spent(ctx, entry).tries + 1;
    const outcome = this.#receive(entry, mark, tries >= attempts);
    const id = outcome.message?.message_id ?? null;
    const error = outcome.kind === 'acted' ? null : outcome.error;
    if (outcome.kind === 'retry') {
      const retryAt = noteFailure(ctx, entry, outcome.error.toJSON());
      // At once, for the next window may come before the commit.
      this.#desk.inbox.holdBack(entry.edge, retryAt);
    } else {
      if (error) bury(ctx, entry, { id, tries, error: error.toJSON() });
      settle(ctx, entry.edge);
    }
    const admission = this.#admit(mark);
    if (admission.kind !== 'go') {
      this.held = true;
      if (admission.kind === 'full') this.#desk.inbox.holdBack(entry.edge, admission.until);
      return false;
    }
    this.#outcomes.push({ outcome, entry, tries });
    if (outcome.kind === 'retry') return false;
    this.#entries.push(entry);
    this.positions.set(entry.edge, entry);
    const late = outcome.kind === 'acted' && outcome.late === true;
    if (outcome.kind === 'acted' && tries === 1 && !late) step.journal.acted(entry, id);
    else step.journal.note({ ...journalLine(entry, id, tries, error), ...(late && { l: true as const }) });
    return true;
  }

  /** Has the core handle an entry, or gives it up when it sends more than will ever find room. */
  #receive(entry: Delivered, mark: Mark, lastTry: boolean): Outcome {
    const { core, name, edgeLimit } = this.#desk.options;
    const step = this.step;
    const outcome = receive(core, step, entry, name, lastTry);
    const excess = excessOf(step, edgeLimit);
    if (!excess) return outcome;
    step.undo(mark);
    return giveUp(step, entry, name, excess);
  }

  #tell(outcome: Outcome, entry: Delivered, now: number): void {
    const { observer, log } = this.#desk.options;
    const action = outcome.message?.action ?? '-';
    const late = outcome.kind === 'acted' && outcome.late === true;
    observer?.onHandled?.(action, late ? 'late' : outcome.kind, now - entry.deliveredAt);
    if (outcome.kind !== 'dead') return;
    const { message, error } = outcome;
    log.warn({ messageId: message?.message_id, edge: entry.edge, error: error.message }, 'dead letter');
  }

  /** Handles dead letters that a person wants handled once more; one that fails is a dead letter again. */
  #replay(): void {
    const { clock } = this.#desk.options;
    const { holds } = this.#desk;
    const step = this.step;
    if (holds.replay > clock.now()) return;
    const ctx = step.context(null);
    if (!hasReplays(ctx)) return;
    for (const [key, letter] of pendingReplays(ctx)) {
      const mark = step.beginPart();
      const entry = { ...toEntry(letter), deliveredAt: clock.now() };
      const outcome = this.#receive(entry, mark, true);
      const error = outcome.kind === 'acted' ? null : outcome.error;
      endReplay(ctx, key, letter, error?.toJSON() ?? null);
      const admission = this.#admit(mark);
      if (admission.kind !== 'go') {
        if (admission.kind === 'full') holds.replay = admission.until;
        return;
      }
      const id = outcome.message?.message_id ?? null;
      step.journal.note({ ...journalLine(entry, id, letter.tries + 1, error), r: letter.order });
      this.#outcomes.push({ outcome, entry, tries: letter.tries + 1 });
    }
  }
}
