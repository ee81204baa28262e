import { ElderError } from '../protocol/errors.ts';
import { readWindow } from '../protocol/lanes.ts';
import { admit } from './admission.ts';
import { bury, noteFailure, settle, spent } from './attempts.ts';
import { Batch, batchLimit, type Desk, journalLine, nameOf } from './batch.ts';
import type { Context } from './core.ts';
import type { Delivered, Inbox } from './inbox.ts';
import { giveUp } from './receiver.ts';
import type { Step } from './step.ts';

type Commit = (batch: Batch) => Promise<boolean>;

/** What was handled and not committed when a process died: the commit under way and the batch behind it. */
const mostUncommitted = 2 * batchLimit;

/**
 * Messages of which the predecessor may have died. They are handled one by one, each after its try has been
 * counted, so that a message which kills its reader is given up some day.
 */
export class Suspects {
  #left = 0;

  /** How many messages are still to be handled so. */
  get left(): number {
    return this.#left;
  }

  /** Notes that an incarnation begins; gives whether its predecessor ended in the midst of something. */
  begin(ctx: Context): boolean {
    const run = ctx.table<{ clean: boolean }>('@run');
    this.#left = (run.get('last')?.clean ?? true) ? 0 : mostUncommitted;
    run.put('last', { clean: false });
    return this.#left > 0;
  }

  /** Notes that the incarnation ends in order. */
  end(ctx: Context): void {
    ctx.table('@run').put('last', { clean: true });
  }

  /** Handles and commits the next of them, with inputs and timers that are due. Throws what `commit` throws. */
  async step(desk: Desk, newStep: () => Step, commit: Commit): Promise<void> {
    const window = desk.inbox.pick(readWindow, desk.options.clock.now());
    const entries = await this.#countBeforehand(this.#next(window, desk.inbox), desk, newStep, commit);
    const batch = new Batch(desk, newStep());
    batch.handleOthers();
    batch.handle(entries, true);
    batch.report();
    let landed: boolean;
    try {
      landed = await commit(batch);
    } catch (error) {
      batch.failed(error);
      throw error;
    }
    if (landed) batch.landed();
    else batch.putBack();
    if (batch.held || !landed) this.#left += entries.length;
  }

  /**
   * Keeps one of a window and puts the others back. Which one goes round the window, so that each lane gets its
   * share of the suspects as it had of the windows in which the predecessor died.
   */
  #next(window: readonly Delivered[], inbox: Inbox): Delivered[] {
    const turn = window[this.#left % Math.max(1, window.length)];
    const suspect = window.find(({ edge }) => edge === turn?.edge);
    if (!suspect) return [];
    inbox.putBack(window.filter((entry) => entry !== suspect));
    return [suspect];
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
    this.#left -= 1;
    if (counted.has(nameOf(suspect))) return [suspect];
    const batch = new Batch(desk, newStep());
    const { step } = batch;
    const ctx = step.context(null);
    const { tries } = spent(ctx, suspect);
    if (tries < options.attempts) {
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
      if (await commit(batch)) return [];
    } else if (admission.kind === 'full') {
      inbox.holdBack(suspect.edge, admission.until);
    }
    inbox.putBack([suspect]);
    this.#left += 1;
    return [];
  }
}
