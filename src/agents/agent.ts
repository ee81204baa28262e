import type { Position } from '../messaging/broker.ts';
import { edgeLanes, sourcesOf } from '../protocol/edges.ts';
import { ElderError } from '../protocol/errors.ts';
import { type EdgeKey, edgeKey } from '../protocol/keys.ts';
import { readWindow } from '../protocol/lanes.ts';
import { fixedElders } from '../protocol/roster.ts';
import { admit, refuseExcess } from './admission.ts';
import type { AgentOptions } from './agent-options.ts';
import { nextDeadline, openDeadlines } from './asks.ts';
import { bury, noteFailure, settle, spent } from './attempts.ts';
import { type Happening, hasHappenings, noteDenials } from './audit-trail.ts';
import { Batch, type Desk, journalLine, nameOf } from './batch.ts';
import { Committer, type Full } from './committer.ts';
import type { Effect, Json } from './core.ts';
import { abandonReplays, pendingReplays } from './dead-letters.ts';
import { Deadlines } from './deadlines.ts';
import { EdgeReader } from './edge-reader.ts';
import { FullEdges, outEdge } from './full-edges.ts';
import { type Delivered, Inbox } from './inbox.ts';
import { Inputs } from './inputs.ts';
import { giveUp } from './receiver.ts';
import { StateStore } from './state-store.ts';
import { Step, type Surroundings } from './step.ts';

const startPauseMs = 200;
/** The share of the time for draining after which what still runs is cut off. */
const cutOffShare = 0.6;

/**
 * Runs a core: reads its edges, handles what came in one step after another, and commits each step before
 * the next begins. Everything it knows is in its last commit, so it may be killed between any two lines.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #stopping = new AbortController();
  #desk: Desk;
  #reader: EdgeReader;
  #state = new StateStore();
  #deadlines = new Deadlines();
  #committer: Committer;
  #wake: () => void = () => {};
  /** Messages still to be handled one by one because the predecessor may have died of one of them. */
  #suspects = 0;
  #whenIdle: (() => void) | null = null;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#committer = this.#newCommitter(0);
    const inbox = new Inbox([], new Map());
    this.#desk = {
      options,
      inbox,
      inputs: new Inputs(),
      fullEdges: new FullEdges(options.random),
      holds: { asks: 0, wake: 0, replay: 0, audit: 0 },
      counted: new Set(),
      denials: [],
    };
    this.#reader = this.#newReader(inbox);
  }

  #newReader(inbox: Inbox): EdgeReader {
    return new EdgeReader(this.#options, inbox, () => this.#wake());
  }

  #newCommitter(commitNumber: number): Committer {
    const { broker, clock, random, observer } = this.#options;
    const onBlocked = (error: ElderError | null) => observer?.onBlocked?.('commit', error);
    return new Committer(commitNumber, { broker, clock, random, onBlocked });
  }

  get commitNumber(): number {
    return this.#committer.number;
  }

  get #around(): Surroundings {
    const { name, incarnation, pid, servants, clock, newId, log } = this.#options;
    const commitNumber = () => this.#committer.number;
    return {
      name,
      incarnation,
      pid,
      servants,
      newId,
      log,
      commitNumber,
      state: this.#state,
      deadlines: this.#deadlines,
      now: () => clock.now(),
    };
  }

  /** Loads what the predecessor left and commits the core's start; throws what the broker throws. */
  async start(): Promise<void> {
    const { name, servants, broker } = this.#options;
    const snapshot = await broker.load();
    this.#state = new StateStore(snapshot.fields, this.#options.core.orders);
    this.#deadlines = openDeadlines(new Step(this.#around).context(null));
    this.#committer = this.#newCommitter(snapshot.commitNumber);
    this.#compareNote(snapshot.commitNumber);
    const elders = [...fixedElders, ...servants.map((servant) => ({ name: servant }))];
    const sources = sourcesOf(name, elders);
    const keys = sources.flatMap((source) => edgeLanes(source, name).map((lane) => edgeKey(source, lane)));
    const inbox = new Inbox(keys, snapshot.positions);
    this.#desk = { ...this.#desk, inbox };
    this.#reader = this.#newReader(inbox);
    while (!(await this.#commit(this.#firstStep(), new Map()))) await this.#awaitRoom();
  }

  /** Tells when Redis holds less than a predecessor was told it does. */
  #compareNote(commitNumber: number): void {
    const { note, log, observer } = this.#options;
    const noted = note?.read() ?? 0;
    if (noted <= commitNumber) return;
    log.warn({ noted, commitNumber }, 'commits are missing: Redis has lost data');
    observer?.onDataLost?.(`was at commit ${noted}, Redis is at ${commitNumber}`);
  }

  #firstStep(): Step {
    const step = new Step(this.#around);
    step.beginPart();
    const ctx = step.context(null);
    const run = ctx.table<{ clean: boolean }>('@run');
    this.#suspects = (run.get('last')?.clean ?? true) ? 0 : readWindow;
    run.put('last', { clean: false });
    if (this.#suspects > 0) abandonReplays(ctx);
    this.#options.core.onStart?.(ctx);
    refuseExcess(step, this.#options.edgeLimit);
    return step;
  }

  /** Waits as long as a start that found an edge full has to. */
  async #awaitRoom(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { signal } = this.#stopping;
    const cancel = this.#options.clock.setTimer(startPauseMs, resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    cancel();
    if (signal.aborted) throw new ElderError('interrupted', 'the process ends before its start had room');
  }

  /** Works until `stop`; throws `fenced`, `data_lost` or `conflict` when this incarnation must not go on. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (this.#reader.failure) throw this.#reader.failure;
      this.#reader.keepReading();
      if (this.#reader.takeReturn()) {
        await this.#confirm();
        continue;
      }
      if (!this.#hasWork()) {
        await this.#sleep();
        continue;
      }
      await this.#runStep();
    }
    await this.#close();
  }

  /** Ends the work after the step under way; `run` then resolves. */
  stop(): void {
    this.#stopping.abort();
    this.#reader.stop();
    this.#wake();
  }

  /**
   * Lets the core finish what it has under way outside Redis, for at most `deadlineMs`: it gets the input
   * `drain` at once and, if it is not idle when most of that time is over, `cut_off`. `stop` comes after.
   */
  async drain(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cutOff = () => void this.input({ kind: 'cut_off' }).catch(() => {});
    const cancelCutOff = clock.setTimer(deadlineMs * cutOffShare, cutOff);
    const cancelEnd = clock.setTimer(deadlineMs, resolve);
    this.input({ kind: 'drain' }).then(() => {
      if (this.#isIdle()) resolve();
      else this.#whenIdle = resolve;
    }, resolve);
    await promise;
    cancelCutOff();
    cancelEnd();
  }

  #isIdle(): boolean {
    return this.#options.core.isIdle?.(new Step(this.#around).context(null)) ?? true;
  }

  /**
   * Gives the core something from this process; resolves with its answer once that is committed. Where it finds
   * an edge full it waits, and so do inputs after it; with `whenFull: 'fail'` it is rejected with `edge_full`.
   */
  input(
    effect: Effect,
    { whenFull = 'wait' }: { whenFull?: 'wait' | 'fail' } = {},
  ): Promise<Json | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Json | undefined>();
    if (this.#stopping.signal.aborted) {
      reject(new ElderError('not_running', `${this.#options.name} is stopping`));
    } else {
      this.#desk.inputs.add({ effect, whenFull, resolve, reject });
      this.#wake();
    }
    return promise;
  }

  /** Has the audit log tell of something that this process refused outside of its messages. */
  noteDenial(denial: Happening): void {
    this.#desk.denials.push(denial);
    this.#wake();
  }

  #hasWork(): boolean {
    const now = this.#options.clock.now();
    return (
      this.#desk.inputs.hasWork(now) || this.#desk.inbox.hasWork(now) || (this.#nextWake() ?? Infinity) <= now
    );
  }

  #nextWake(): number | undefined {
    const ctx = new Step(this.#around).context(null);
    const deadline = nextDeadline(ctx, this.#deadlines) ?? Infinity;
    const wakeAt = this.#options.core.wakeAt?.(ctx) ?? Infinity;
    const replayAt = pendingReplays(ctx).length > 0 ? this.#desk.holds.replay : Infinity;
    const auditAt =
      this.#desk.denials.length > 0 ? 0 : hasHappenings(ctx) ? this.#desk.holds.audit : Infinity;
    const next = Math.min(
      replayAt,
      auditAt,
      Math.max(deadline, this.#desk.holds.asks),
      Math.max(wakeAt, this.#desk.holds.wake),
    );
    return Number.isFinite(next) ? next : undefined;
  }

  async #sleep(): Promise<void> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const known = [this.#nextWake(), this.#desk.inbox.nextRetryAt(), this.#desk.inputs.nextAt()];
    const times = known.filter((time) => time !== undefined);
    const now = clock.now();
    const cancel =
      times.length > 0 ? clock.setTimer(Math.max(0, Math.min(...times) - now), resolve) : () => {};
    if (this.#reader.failure || this.#stopping.signal.aborted || this.#hasWork()) resolve();
    await promise;
    cancel();
    this.#wake = () => {};
  }

  async #runStep(): Promise<void> {
    const careful = this.#suspects > 0;
    let entries = this.#desk.inbox.pick(readWindow, this.#options.clock.now());
    if (careful) entries = await this.#countBeforehand(this.#nextSuspect(entries));
    const batch = new Batch(this.#desk, new Step(this.#around));
    batch.takeInputs();
    batch.runTimers();
    batch.replay();
    batch.handle(entries, careful);
    batch.report();
    let landed: boolean;
    try {
      landed = await this.#commit(batch.step, batch.positions);
    } catch (error) {
      batch.failed(error);
      throw error;
    }
    if (landed) batch.landed();
    else batch.putBack();
    if (careful && (batch.held || !landed)) this.#suspects += entries.length;
  }

  /**
   * Keeps one of a window and puts the others back. Which one goes round the window, so that each lane gets its
   * share of the suspects as it had of the window in which the predecessor died.
   */
  #nextSuspect(window: readonly Delivered[]): Delivered[] {
    const turn = window[this.#suspects % Math.max(1, window.length)];
    const suspect = window.find(({ edge }) => edge === turn?.edge);
    if (!suspect) return [];
    this.#desk.inbox.putBack(window.filter((entry) => entry !== suspect));
    return [suspect];
  }

  /**
   * Counts a try before the handler runs, so that a message which kills its reader is given up some day.
   * Gives back the entries that may still be handled.
   */
  async #countBeforehand([suspect]: Delivered[]): Promise<Delivered[]> {
    const { options, inbox, fullEdges, counted } = this.#desk;
    if (!suspect) return [];
    this.#suspects -= 1;
    if (counted.has(nameOf(suspect))) return [suspect];
    const step = new Step(this.#around);
    const ctx = step.context(null);
    const { tries } = spent(ctx, suspect);
    if (tries < options.attempts) {
      noteFailure(ctx, suspect, {
        code: 'internal',
        reason: 'the process ended while this may have been handled',
      });
      await this.#commit(step, new Map());
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
      step.journal.push(journalLine(suspect, id, tries, error));
      if (await this.#commit(step, new Map([[suspect.edge, suspect]]))) return [];
    } else if (admission.kind === 'full') {
      inbox.holdBack(suspect.edge, admission.until);
    }
    inbox.putBack([suspect]);
    this.#suspects += 1;
    return [];
  }

  /** Commits a step; `false` when it found an edge full, and is undone. */
  async #commit(step: Step, positions: ReadonlyMap<EdgeKey, Position>): Promise<boolean> {
    const { clock, broker, perform, observer } = this.#options;
    if (step.denials.length > 0) noteDenials(step.context(null), step.denials);
    const { set, remove } = this.#state.changes();
    const handled = step.journal.length;
    if (set.size + remove.size + positions.size + step.send.length > 0) {
      const began = clock.now();
      const journal = handled > 0 ? JSON.stringify(step.journal) : null;
      const content = { set, remove, positions, send: step.send, journal };
      const full = await this.#committer.write(content, this.#stopping.signal);
      if (full) {
        this.#onFull(step, full);
        return false;
      }
      this.#options.note?.write(this.#committer.number);
      observer?.onCommit?.(clock.now() - began, handled);
    }
    this.#state.landed();
    if (this.#desk.fullEdges.landed(step.used).length > 0) observer?.onBlocked?.('edge', null);
    for (const event of step.events) broker.publish(event);
    for (const effect of step.effects) perform?.(effect, this);
    if (this.#whenIdle && this.#isIdle()) this.#whenIdle();
    return true;
  }

  /** Undoes a step for which an edge had no room; what wrote there is held back from now on. */
  #onFull(step: Step, { target, lane }: Full): void {
    this.#state.rollback(0);
    const edge = outEdge(target, lane);
    const { clock, observer } = this.#options;
    if (!this.#desk.fullEdges.refused(edge, step.used.get(edge) ?? 1, clock.now())) return;
    observer?.onBlocked?.('edge', new ElderError('edge_full', `the edge to ${target} (${lane}) is full`));
  }

  /** Commits once to a Redis that was away: one that came back without what it had acknowledged refuses that. */
  async #confirm(): Promise<void> {
    const step = new Step(this.#around);
    const last = { clean: false, confirmed: this.#committer.number };
    step.context(null).table('@run').put('last', last);
    await this.#commit(step, new Map());
  }

  /** Says in a last commit that this incarnation ended between two steps, so that nothing is suspected. */
  async #close(): Promise<void> {
    const step = new Step(this.#around);
    step.context(null).table<{ clean: boolean }>('@run').put('last', { clean: true });
    this.#desk.inputs.rejectAll(new ElderError('not_running', `${this.#options.name} has stopped`));
    await this.#commit(step, new Map());
  }
}
