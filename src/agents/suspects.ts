import { compareStreamIds } from '../messaging/stream-id.ts';
import { ElderError } from '../protocol/errors.ts';
import type { EdgeKey } from '../protocol/keys.ts';
import { readWindow } from '../protocol/lanes.ts';
import { admit } from './admission.ts';
import { bury, noteFailure, settle, spent } from './attempts.ts';
import { Batch, batchLimit, type Desk, journalLine, nameOf } from './batch.ts';
import type { Context } from './core.ts';
import type { Delivered, Inbox } from './inbox.ts';
import { giveUp } from './receiver.ts';
import type { Step } from './step.ts';

type Commit = (batch: Batch) => Promise<boolean>;

/** By edge: the last of its entries that are meant, and so all before it. */
type Ends = Readonly<Record<EdgeKey, string>>;

/** How the last incarnation goes on, or has ended. */
interface Run {
  readonly clean: boolean;
  /** What is being handled together; should the process die, it may be because of any of it. */
  readonly together?: Ends;
  /** What is handled one by one, because a process died while it was handled together. */
  readonly alone?: Ends;
  /** The commit that Redis was seen to have after it was away. */
  readonly confirmed?: number;
}

/** What was handled and not committed when a process died: the commit under way and the batch behind it. */
const mostUncommitted = 2 * batchLimit;

const runOf = (ctx: Context) => ctx.table<Run>('@run');

function isWithin({ edge, id }: Delivered, ends: ReadonlyMap<EdgeKey, string>): boolean {
  const end = ends.get(edge);
  return end !== undefined && compareStreamIds(id, end) <= 0;
}

function merge(...all: readonly (Ends | undefined)[]): Map<EdgeKey, string> {
  const merged = new Map<EdgeKey, string>();
  const entries = all.flatMap((ends) => Object.entries(ends ?? {}) as [EdgeKey, string][]);
  for (const [edge, end] of entries) {
    const other = merged.get(edge);
    if (other === undefined || compareStreamIds(other, end) < 0) merged.set(edge, end);
  }
  return merged;
}

/**
 * Messages of which the predecessor may have died. Each window of them is noted before it is handled; when the
 * process dies of that, its successor handles these one by one, each after its try has been counted, so that a
 * message which kills its reader is given up some day, and no other.
 */
export class Suspects {
  #left = 0;
  #alone: Map<EdgeKey, string> = new Map();
  /** What the predecessor handled together when it died. */
  #died: ReadonlyMap<EdgeKey, string> = new Map();
  /** Names of those whose try among others is counted. */
  readonly #counted = new Set<string>();
  #isTurnOfOne = false;

  /** Whether any message is still to be handled so. */
  get isAny(): boolean {
    return this.#left > 0 || this.#alone.size > 0;
  }

  /**
   * Notes that an incarnation begins, which has read nothing yet; gives whether its predecessor ended in the midst
   * of something.
   */
  begin(ctx: Context, inbox: Inbox): boolean {
    const last = runOf(ctx).get('last') ?? { clean: true };
    this.#left = last.clean ? 0 : mostUncommitted;
    this.#died = merge(last.together);
    this.#alone = merge(last.alone, last.together);
    for (const [edge, end] of this.#alone) {
      // It has landed after all, or nobody may write there any more.
      const cursor = inbox.cursorOf(edge);
      if (cursor === undefined || compareStreamIds(end, cursor) <= 0) this.#alone.delete(edge);
    }
    this.#note(ctx, {});
    return !last.clean;
  }

  /** Notes that Redis, which was away, was at this commit. */
  confirm(ctx: Context, commitNumber: number): void {
    const { together } = runOf(ctx).get('last') ?? {};
    this.#note(ctx, { ...(together && { together }), confirmed: commitNumber });
  }

  /** Notes that the incarnation ends in order. */
  end(ctx: Context): void {
    runOf(ctx).put('last', { clean: true });
  }

  /** Handles and commits the next of them, with inputs and timers that are due. Throws what `commit` throws. */
  async step(desk: Desk, newStep: () => Step, commit: Commit): Promise<void> {
    const window = desk.inbox.pick(readWindow, desk.options.clock.now());
    const one = this.#nextAlone(window);
    const entries = one
      ? await this.#countBeforehand(this.#keep([one], window, desk.inbox), desk, newStep, commit)
      : await this.#noteBeforehand(
          this.#keep(this.#others(window), window, desk.inbox),
          desk,
          newStep,
          commit,
        );
    const batch = new Batch(desk, newStep());
    batch.handleOthers();
    batch.handle(entries, one !== undefined);
    batch.report();
    // What was noted as handled together lands with this.
    this.#note(batch.step.context(null), {});
    let landed: boolean;
    try {
      landed = await commit(batch);
    } catch (error) {
      batch.failed(error);
      throw error;
    }
    if (landed) batch.landed();
    else batch.putBack();
    if (landed) this.#clear(batch);
    if (batch.held || !landed) this.#left += entries.length;
  }

  /** Forgets what has landed. */
  #clear({ positions }: Batch): void {
    for (const [edge, { id }] of positions) {
      const end = this.#alone.get(edge);
      if (end !== undefined && compareStreamIds(end, id) <= 0) this.#alone.delete(edge);
    }
  }

  #note(ctx: Context, more: Pick<Run, 'together' | 'confirmed'>): void {
    const alone = this.#alone.size > 0 ? { alone: Object.fromEntries(this.#alone) } : {};
    runOf(ctx).put('last', { clean: false, ...alone, ...more });
  }

  /**
   * Chooses one of a window that is handled alone, every other time where there is something else to handle. Which
   * one goes round the window, so that each lane gets its share as it had when the predecessor died.
   */
  #nextAlone(window: readonly Delivered[]): Delivered | undefined {
    const alone = window.filter((entry) => isWithin(entry, this.#alone));
    this.#isTurnOfOne = !this.#isTurnOfOne || this.#others(window).length === 0;
    if (!this.#isTurnOfOne) return undefined;
    const turn = alone[this.#left % Math.max(1, alone.length)];
    return window.find(({ edge }) => edge === turn?.edge);
  }

  /** Those of a window that may be handled together: none behind one that must be alone. */
  #others(window: readonly Delivered[]): Delivered[] {
    const edges = new Set(window.filter((entry) => isWithin(entry, this.#alone)).map(({ edge }) => edge));
    return window.filter(({ edge }) => !edges.has(edge));
  }

  #keep(entries: Delivered[], window: readonly Delivered[], inbox: Inbox): Delivered[] {
    inbox.putBack(window.filter((entry) => !entries.includes(entry)));
    this.#left -= entries.length;
    return entries;
  }

  /** Notes what is to be handled together. */
  async #noteBeforehand(
    entries: Delivered[],
    desk: Desk,
    newStep: () => Step,
    commit: Commit,
  ): Promise<Delivered[]> {
    if (entries.length === 0) return entries;
    const batch = new Batch(desk, newStep());
    const together = Object.fromEntries(entries.map(({ edge, id }) => [edge, id]));
    this.#note(batch.step.context(null), { together });
    await commit(batch);
    return entries;
  }

  /** Counts a try before the handler runs; gives back the entries that may still be handled. */
  async #countBeforehand(
    [suspect]: Delivered[],
    desk: Desk,
    newStep: () => Step,
    commit: Commit,
  ): Promise<Delivered[]> {
    const { options, inbox, fullEdges, counted } = desk;
    if (!suspect) return [];
    if (counted.has(nameOf(suspect))) return [suspect];
    const batch = new Batch(desk, newStep());
    const { step } = batch;
    const ctx = step.context(null);
    const { tries } = spent(ctx, suspect);
    if (tries < options.attempts) {
      // A death among others is a try, but nothing is given up for it that was never handled alone.
      if (isWithin(suspect, this.#died) && !this.#counted.has(nameOf(suspect))) {
        this.#counted.add(nameOf(suspect));
        noteFailure(ctx, suspect, {
          code: 'internal',
          reason: 'the process ended while this and others may have been handled',
        });
      }
      noteFailure(ctx, suspect, {
        code: 'internal',
        reason: 'the process ended while this may have been handled',
      });
      await commit(batch);
      counted.add(nameOf(suspect));
      return [suspect];
    }
    const error = new ElderError('internal', 'the process ended each time while this message was handled');
    const mark = step.beginPart();
    const id = giveUp(step, suspect, options.name, error).message?.message_id ?? null;
    bury(ctx, suspect, { id, tries, error: error.toJSON() });
    settle(ctx, suspect.edge);
    const admission = admit(step, mark, fullEdges, options.clock.now());
    if (admission.kind === 'go') {
      step.journal.note(journalLine(suspect, id, tries, error));
      batch.positions.set(suspect.edge, suspect);
      if (await commit(batch)) {
        this.#clear(batch);
        return [];
      }
    } else if (admission.kind === 'full') {
      inbox.holdBack(suspect.edge, admission.until);
    }
    inbox.putBack([suspect]);
    this.#left += 1;
    return [];
  }
}
