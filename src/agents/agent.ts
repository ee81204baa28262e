import { edgeLanes, sourcesOf } from '../protocol/edges.ts';
import { asElderError, ElderError } from '../protocol/errors.ts';
import { edgeKey } from '../protocol/keys.ts';
import { fixedElders } from '../protocol/roster.ts';
import { refuseExcess } from './admission.ts';
import type { AgentOptions } from './agent-options.ts';
import { nextDeadline, openDeadlines } from './asks.ts';
import { type Happening, hasHappenings, noteDenials } from './audit-trail.ts';
import { Batch, type Desk } from './batch.ts';
import { Committer, type Full } from './committer.ts';
import type { Context, Effect, Json } from './core.ts';
import { abandonReplays, hasReplays } from './dead-letters.ts';
import { Deadlines } from './deadlines.ts';
import { EdgeReaders } from './edge-reader.ts';
import { FullEdges, outEdge } from './full-edges.ts';
import { Inbox } from './inbox.ts';
import { Inputs } from './inputs.ts';
import { StateStore } from './state-store.ts';
import { Step, type Surroundings } from './step.ts';
import { Suspects } from './suspects.ts';

const startPauseMs = 200;
/** The share of the time for draining after which what still runs is cut off. */
const cutOffShare = 0.6;
/** Microtasks that are let pass between two windows where the clock knows no turns. */
const ticksOfTurn = 16;

/**
 * Runs a core: reads its edges, handles what came, and commits it. While one commit is under way the next is
 * gathered, and sent when the first has landed. Everything an agent knows is in its last commit, so it may be
 * killed between any two lines.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #stopping = new AbortController();
  readonly #suspects = new Suspects();
  #desk: Desk;
  #readers: EdgeReaders;
  #state = new StateStore();
  #deadlines = new Deadlines();
  #committer: Committer;
  /** What is handled but not yet sent to Redis. */
  #open: Batch | null = null;
  /** The commit under way. */
  #flight: Promise<void> | null = null;
  /** Why this incarnation must not go on. */
  #failure: ElderError | null = null;
  #looking: { readonly ctx: Context; readonly state: StateStore; readonly deadlines: Deadlines } | null =
    null;
  #wake: () => void = () => {};
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
    this.#readers = this.#newReaders(inbox);
  }

  #newReaders(inbox: Inbox): EdgeReaders {
    return new EdgeReaders(this.#options, inbox, () => this.#wake());
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

  readonly #newStep = () => new Step(this.#around);

  /** A context to look at the state with. */
  get #look(): Context {
    const { state, deadlines } = this.#looking ?? {};
    if (!this.#looking || state !== this.#state || deadlines !== this.#deadlines) {
      const ctx = this.#newStep().context(null);
      this.#looking = { ctx, state: this.#state, deadlines: this.#deadlines };
    }
    return this.#looking.ctx;
  }

  /** Loads what the predecessor left and commits the core's start; throws what the broker throws. */
  async start(): Promise<void> {
    const { name, servants, broker } = this.#options;
    const snapshot = await broker.load();
    this.#state = new StateStore(snapshot.fields, this.#options.core.orders);
    this.#deadlines = openDeadlines(this.#newStep().context(null));
    this.#committer = this.#newCommitter(snapshot.commitNumber);
    this.#compareNote(snapshot.commitNumber);
    const elders = [...fixedElders, ...servants.map((servant) => ({ name: servant }))];
    const sources = sourcesOf(name, elders);
    const keys = sources.flatMap((source) => edgeLanes(source, name).map((lane) => edgeKey(source, lane)));
    const inbox = new Inbox(keys, snapshot.positions);
    this.#desk = { ...this.#desk, inbox };
    this.#readers = this.#newReaders(inbox);
    while (!(await this.#commit(this.#firstBatch()))) await this.#awaitRoom();
  }

  /** Tells when Redis holds less than a predecessor was told it does. */
  #compareNote(commitNumber: number): void {
    const { note, log, observer } = this.#options;
    const noted = note?.read() ?? 0;
    if (noted <= commitNumber) return;
    log.warn({ noted, commitNumber }, 'commits are missing: Redis has lost data');
    observer?.onDataLost?.(`was at commit ${noted}, Redis is at ${commitNumber}`);
  }

  #firstBatch(): Batch {
    const step = this.#newStep();
    step.beginPart();
    const ctx = step.context(null);
    if (this.#suspects.begin(ctx, this.#desk.inbox)) abandonReplays(ctx);
    this.#options.core.onStart?.(ctx);
    refuseExcess(step, this.#options.edgeLimit);
    return new Batch(this.#desk, step);
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
    try {
      while (!this.#stopping.signal.aborted) {
        const failure = this.#failure ?? this.#readers.failure;
        if (failure) throw failure;
        if (this.#readers.takeReturn()) this.#confirm();
        await this.#goOn();
      }
      await this.#flight;
      if (this.#failure) throw this.#failure;
      if (this.#open) await this.#commitOpen();
      if (this.#failure) throw this.#failure;
    } catch (error) {
      this.#readers.stop();
      this.#open?.failed(error);
      throw error;
    }
    await this.#close();
  }

  /** Does one thing of what is to be done, or waits until there is something. */
  async #goOn(): Promise<void> {
    if (this.#suspects.isAny) {
      this.#readers.keepReading();
      if (this.#open || this.#flight) {
        this.#launch();
        await this.#flight;
      } else if (this.#hasWork())
        await this.#suspects.step(this.#desk, this.#newStep, (batch) => this.#commit(batch));
      else await this.#sleep();
    } else if (this.#mayHandle()) {
      this.#open ??= new Batch(this.#desk, this.#newStep());
      this.#open.window();
      this.#launch();
      // Behind the commit, for which somebody may wait.
      this.#readers.keepReading();
      // What has arrived meanwhile, and may be more urgent, comes in before the next window.
      if (this.#mayHandle()) await this.#turn();
    } else {
      const launched = this.#launch();
      this.#readers.keepReading();
      if (!launched) await this.#sleep();
    }
  }

  #mayHandle(): boolean {
    return this.#open?.complete !== true && this.#hasWork();
  }

  async #turn(): Promise<void> {
    const { clock } = this.#options;
    if (clock.turn) await clock.turn();
    else for (let tick = 0; tick < ticksOfTurn; tick += 1) await undefined;
  }

  /** Sends what is gathered, unless a commit is under way; gives whether it did. */
  #launch(): boolean {
    if (!this.#open || this.#flight) return false;
    const flight = this.#commitOpen().finally(() => {
      this.#flight = null;
      this.#wake();
    });
    this.#flight = flight;
    return true;
  }

  async #commitOpen(): Promise<void> {
    const batch = this.#open as Batch;
    this.#open = null;
    try {
      if (await this.#commit(batch)) batch.landed();
      else batch.putBack();
    } catch (error) {
      this.#failure = asElderError(error);
      batch.failed(error);
    }
  }

  /** Ends the work after what is handled already; `run` then resolves. */
  stop(): void {
    this.#stopping.abort();
    this.#readers.stop();
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
    return this.#options.core.isIdle?.(this.#newStep().context(null)) ?? true;
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
    const ctx = this.#look;
    const deadline = nextDeadline(ctx, this.#deadlines) ?? Infinity;
    const wakeAt = this.#options.core.wakeAt?.(ctx) ?? Infinity;
    const replayAt = hasReplays(ctx) ? this.#desk.holds.replay : Infinity;
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
    let cancel = () => {};
    // With a complete batch only the end of the commit under way matters.
    if (this.#open?.complete !== true) {
      const known = [this.#nextWake(), this.#desk.inbox.nextRetryAt(), this.#desk.inputs.nextAt()];
      const times = known.filter((time) => time !== undefined);
      if (times.length > 0) cancel = clock.setTimer(Math.max(0, Math.min(...times) - clock.now()), resolve);
    }
    if (this.#failure || this.#readers.failure || this.#stopping.signal.aborted || this.#mayHandle())
      resolve();
    await promise;
    cancel();
    this.#wake = () => {};
  }

  /** Commits a batch; `false` when it found an edge full, and is undone with all that came after it. */
  async #commit({ step, positions }: Batch): Promise<boolean> {
    const { clock, broker, perform, observer } = this.#options;
    if (step.denials.length > 0) noteDenials(step.context(null), step.denials);
    const { set, remove } = this.#state.seal();
    const handled = step.journal.count;
    if (set.size + remove.size + positions.size + step.send.length > 0) {
      const began = clock.now();
      const journal = step.journal.text();
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
    // It was handled on the strength of a state that is not to be.
    this.#open?.putBack();
    this.#open = null;
    // Questions that were taken for answered are open again.
    this.#deadlines = openDeadlines(this.#newStep().context(null));
    const edge = outEdge(target, lane);
    const { clock, observer } = this.#options;
    if (!this.#desk.fullEdges.refused(edge, step.used.get(edge) ?? 1, clock.now())) return;
    observer?.onBlocked?.('edge', new ElderError('edge_full', `the edge to ${target} (${lane}) is full`));
  }

  /** Has something to commit to a Redis that was away: one that came back without what it had acknowledged refuses that. */
  #confirm(): void {
    this.#open ??= new Batch(this.#desk, this.#newStep());
    this.#suspects.confirm(this.#open.step.context(null), this.#committer.number);
  }

  /** Says in a last commit that this incarnation ended between two steps, so that nothing is suspected. */
  async #close(): Promise<void> {
    const batch = new Batch(this.#desk, this.#newStep());
    this.#suspects.end(batch.step.context(null));
    this.#desk.inputs.rejectAll(new ElderError('not_running', `${this.#options.name} has stopped`));
    await this.#commit(batch);
  }
}
