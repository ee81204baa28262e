import type { Broker, Position } from '../messaging/broker.ts';
import type { Clock } from '../messaging/clock.ts';
import { edgeLanes, sourcesOf } from '../protocol/edges.ts';
import { asElderError, ElderError } from '../protocol/errors.ts';
import { type EdgeKey, edgeKey } from '../protocol/keys.ts';
import { readWindow } from '../protocol/lanes.ts';
import type { JournalLine } from '../protocol/local-api.ts';
import { fixedElders } from '../protocol/roster.ts';
import { expireAsks, nextDeadline } from './asks.ts';
import { bury, noteFailure, settle, spent, withdrawFailure } from './attempts.ts';
import { Committer, type Full } from './committer.ts';
import type { Context, Core, Effect, Json } from './core.ts';
import { abandonReplays, endReplay, pendingReplays, toEntry } from './dead-letters.ts';
import { type Admission, FullEdges, outEdge } from './full-edges.ts';
import { type Delivered, Inbox } from './inbox.ts';
import { type Input, Inputs } from './inputs.ts';
import { giveUp, type Outcome, receive } from './receiver.ts';
import { StateStore } from './state-store.ts';
import { type Mark, Step, type Surroundings } from './step.ts';

const blockingReadMs = 5_000;
const startPauseMs = 200;
/** The share of the time for draining after which what still runs is cut off. */
const cutOffShare = 0.6;

/** What the agent tells about its work; the telemetry of a process, or nothing in a simulation. */
export interface AgentObserver {
  onHandled?(action: string, outcome: Outcome['kind'] | 'late', waitedMs: number): void;
  onCommit?(tookMs: number, handled: number): void;
  /** Why reading, committing, or what writes to one edge has to wait, or `null` once it goes on. */
  onBlocked?(what: 'read' | 'commit' | 'edge', error: ElderError | null): void;
  /** Redis lacks entries that it had acknowledged. */
  onDataLost?(reason: string): void;
}

export interface AgentOptions {
  readonly name: string;
  readonly incarnation: number;
  readonly pid: number;
  readonly core: Core;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly servants: readonly string[];
  /** Tries at a message before it is given up. */
  readonly attempts: number;
  /** Messages that an edge may hold: a handler that sends more of them at once is given up. Absent: not checked. */
  readonly edgeLimit?: number;
  readonly log: Context['log'];
  readonly observer?: AgentObserver;
  /** Does what a core asked for once its commit has landed; gives the outcome back through `input`. */
  readonly perform?: (effect: Effect, agent: Agent) => void;
}

/** What a step handles; all of it is put back when the step finds no room. */
interface Batch {
  readonly entries: Delivered[];
  readonly positions: Map<EdgeKey, Position>;
  readonly answers: { readonly input: Input; readonly result: Json | undefined }[];
  /** To be done once the step has landed. */
  readonly then: (() => void)[];
  /** Whether an entry was left for later, because what it sends finds no room. */
  held: boolean;
}

/** The read under way, or the pause after one that failed. */
interface Reading {
  readonly cursors: ReadonlyMap<EdgeKey, string>;
  readonly abort: AbortController;
}

function journalLine(
  entry: Delivered,
  id: string | null,
  tries: number,
  error: ElderError | null,
): JournalLine {
  const line = { e: entry.edge, i: entry.id, m: id, d: entry.deliveredAt, t: tries };
  return error ? { ...line, x: { code: error.code, reason: error.reason } } : line;
}

/**
 * Runs a core: reads its edges, handles what came in one step after another, and commits each step before
 * the next begins. Everything it knows is in its last commit, so it may be killed between any two lines.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #stopping = new AbortController();
  readonly #inputs = new Inputs();
  readonly #fullEdges: FullEdges;
  #state = new StateStore();
  #inbox = new Inbox([], new Map());
  #committer: Committer;
  #reading: Reading | null = null;
  #readFailures = 0;
  #wake: () => void = () => {};
  /** Messages still to be handled one by one because the predecessor may have died of one of them. */
  #suspects = 0;
  /** Suspects whose next try is counted already. */
  readonly #counted = new Set<string>();
  /** Timers whose messages found no room are not tried again before this time (ms). */
  #asksHeldUntil = 0;
  #wakeHeldUntil = 0;
  #replayHeldUntil = 0;
  #failure: unknown = null;
  #whenIdle: (() => void) | null = null;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#fullEdges = new FullEdges(options.random);
    this.#committer = this.#newCommitter(0);
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
      now: () => clock.now(),
    };
  }

  /** Loads what the predecessor left and commits the core's start; throws what the broker throws. */
  async start(): Promise<void> {
    const { name, servants, broker } = this.#options;
    const snapshot = await broker.load();
    this.#state = new StateStore(snapshot.fields);
    this.#committer = this.#newCommitter(snapshot.commitNumber);
    const elders = [...fixedElders, ...servants.map((servant) => ({ name: servant }))];
    const sources = sourcesOf(name, elders);
    const keys = sources.flatMap((source) => edgeLanes(source, name).map((lane) => edgeKey(source, lane)));
    this.#inbox = new Inbox(keys, snapshot.positions);
    while (!(await this.#commit(this.#firstStep(), new Map()))) await this.#awaitRoom();
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
    const excess = this.#excess(step);
    if (excess) throw excess;
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
      if (this.#failure) throw this.#failure;
      this.#read();
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
    this.#reading?.abort.abort();
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
      this.#inputs.add({ effect, whenFull, resolve, reject });
      this.#wake();
    }
    return promise;
  }

  #hasWork(): boolean {
    const now = this.#options.clock.now();
    return this.#inputs.hasWork(now) || this.#inbox.hasWork(now) || (this.#nextWake() ?? Infinity) <= now;
  }

  #nextWake(): number | undefined {
    const ctx = new Step(this.#around).context(null);
    const deadline = nextDeadline(ctx) ?? Infinity;
    const wakeAt = this.#options.core.wakeAt?.(ctx) ?? Infinity;
    const replayAt = pendingReplays(ctx).length > 0 ? this.#replayHeldUntil : Infinity;
    const next = Math.min(
      replayAt,
      Math.max(deadline, this.#asksHeldUntil),
      Math.max(wakeAt, this.#wakeHeldUntil),
    );
    return Number.isFinite(next) ? next : undefined;
  }

  /** Keeps one read under way; it is dropped, which loses nothing, when it leaves out an edge that has room again. */
  #read(): void {
    if (this.#reading) {
      const outdated = this.#inbox.wantedCount > this.#reading.cursors.size;
      if (!outdated) return;
      this.#reading.abort.abort();
      this.#reading = null;
    }
    const wanted = this.#inbox.wanted();
    if (wanted.size === 0) return;
    const { broker, clock, observer } = this.#options;
    const reading: Reading = { cursors: wanted, abort: new AbortController() };
    this.#reading = reading;
    const saturated = wanted.size < this.#inbox.edgeCount && this.#inbox.hasWork(clock.now());
    const options = {
      count: readWindow,
      waitMs: saturated ? 0 : blockingReadMs,
      signal: reading.abort.signal,
    };
    const done = (error: unknown) => {
      if (this.#reading !== reading) return;
      if (!error) {
        if (this.#readFailures > 0) observer?.onBlocked?.('read', null);
        this.#readFailures = 0;
        this.#reading = null;
        this.#wake();
        return;
      }
      this.#onReadFailure(reading, asElderError(error));
    };
    broker.read(wanted, options).then((entries) => {
      if (this.#reading !== reading) return;
      for (const gap of this.#inbox.add(entries, clock.now())) {
        this.#options.log.warn(gap, 'entries are missing: Redis has lost data');
        observer?.onDataLost?.(`${gap.edge}: entry ${gap.expected} is due, ${gap.found} came`);
      }
      done(null);
    }, done);
  }

  #onReadFailure(reading: Reading, error: ElderError): void {
    if (error.code !== 'redis_unreachable' && error.code !== 'redis_refused') {
      this.#failure = error;
      this.#wake();
      return;
    }
    this.#options.observer?.onBlocked?.('read', error);
    this.#readFailures += 1;
    const waitMs = Math.min(1_000, 20 * 2 ** Math.min(this.#readFailures, 6));
    this.#options.clock.setTimer(waitMs, () => {
      if (this.#reading !== reading) return;
      this.#reading = null;
      this.#wake();
    });
  }

  async #sleep(): Promise<void> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const known = [this.#nextWake(), this.#inbox.nextRetryAt(), this.#inputs.nextAt()];
    const times = known.filter((time) => time !== undefined);
    const now = clock.now();
    const cancel =
      times.length > 0 ? clock.setTimer(Math.max(0, Math.min(...times) - now), resolve) : () => {};
    if (this.#failure || this.#stopping.signal.aborted || this.#hasWork()) resolve();
    await promise;
    cancel();
    this.#wake = () => {};
  }

  async #runStep(): Promise<void> {
    const careful = this.#suspects > 0;
    let entries = this.#inbox.pick(careful ? 1 : readWindow, this.#options.clock.now());
    if (careful) entries = await this.#countBeforehand(entries);
    const step = new Step(this.#around);
    const batch: Batch = { entries: [], positions: new Map(), answers: [], then: [], held: false };
    this.#takeInputs(step, batch);
    this.#runTimers(step);
    this.#replay(step, batch);
    this.#handle(step, entries, careful, batch);
    let landed: boolean;
    try {
      landed = await this.#commit(step, batch.positions);
    } catch (error) {
      for (const { input } of batch.answers) input.reject(error);
      throw error;
    }
    if (landed) {
      for (const { input, result } of batch.answers) input.resolve(result);
      for (const act of batch.then) act();
    } else {
      this.#inbox.putBack(batch.entries);
      this.#inputs.putBack(batch.answers.map(({ input }) => input));
    }
    if (careful && (batch.held || !landed)) this.#suspects += entries.length;
  }

  /**
   * Counts a try before the handler runs, so that a message which kills its reader is given up some day.
   * Gives back the entries that may still be handled.
   */
  async #countBeforehand([suspect]: Delivered[]): Promise<Delivered[]> {
    if (!suspect) return [];
    this.#suspects -= 1;
    const name = `${suspect.edge} ${suspect.id}`;
    if (this.#counted.has(name)) return [suspect];
    const step = new Step(this.#around);
    const ctx = step.context(null);
    const { tries } = spent(ctx, suspect);
    if (tries < this.#options.attempts) {
      noteFailure(ctx, suspect, {
        code: 'internal',
        reason: 'the process ended while this may have been handled',
      });
      await this.#commit(step, new Map());
      this.#counted.add(name);
      return [suspect];
    }
    const error = new ElderError('internal', 'the process ended each time while this message was handled');
    const mark = step.beginPart();
    const id = giveUp(step, suspect, this.#options.name, error).message?.message_id ?? null;
    bury(ctx, suspect, { id, tries, error: error.toJSON() });
    settle(ctx, suspect.edge);
    const admission = this.#admit(step, mark);
    if (admission.kind === 'go') {
      step.journal.push(journalLine(suspect, id, tries, error));
      if (await this.#commit(step, new Map([[suspect.edge, suspect]]))) return [];
    } else if (admission.kind === 'full') {
      this.#inbox.holdBack(suspect.edge, admission.until);
    }
    this.#inbox.putBack([suspect]);
    this.#suspects += 1;
    return [];
  }

  /** Decides whether the part of the step that has just run may stay; otherwise it is undone. */
  #admit(step: Step, mark: Mark): Admission {
    const edges = step.partEdges();
    if (edges.size === 0) return { kind: 'go' };
    const admission = this.#fullEdges.admit(edges.keys(), step.used, this.#options.clock.now());
    if (admission.kind === 'go') step.keepPart(edges.keys());
    else step.undo(mark);
    return admission;
  }

  /** Says what is wrong with a part that will never find room, because one edge cannot hold all that it sends. */
  #excess(step: Step): ElderError | null {
    const { edgeLimit = Infinity } = this.#options;
    for (const [edge, count] of step.partEdges()) {
      if (count <= edgeLimit) continue;
      return new ElderError('too_large', `${count} messages at once to ${edge}, which holds ${edgeLimit}`);
    }
    return null;
  }

  #takeInputs(step: Step, { answers }: Batch): void {
    const now = this.#options.clock.now();
    const back: Input[] = [];
    let waiting = false;
    for (const input of this.#inputs.take(readWindow, now)) {
      if (waiting && input.whenFull === 'wait') {
        back.push(input);
        continue;
      }
      const mark = step.beginPart();
      let result: Json | undefined;
      try {
        result = this.#options.core.onInput?.(step.context(null), input.effect) as Json | undefined;
        const excess = this.#excess(step);
        if (excess) throw excess;
      } catch (error) {
        step.undo(mark);
        input.reject(error);
        continue;
      }
      const admission = this.#admit(step, mark);
      if (admission.kind === 'go') {
        answers.push({ input, result });
      } else if (admission.kind === 'full' && input.whenFull === 'fail') {
        input.reject(new ElderError('edge_full', `the edge to ${admission.edge} is full`));
      } else {
        back.push(input);
        if (input.whenFull === 'wait') waiting = true;
        if (admission.kind === 'full') this.#inputs.holdBack(admission.until);
      }
    }
    this.#inputs.putBack(back);
  }

  #runTimers(step: Step): void {
    const { core, clock } = this.#options;
    const now = clock.now();
    expireAsks(core, step, (mark) => {
      const excess = this.#excess(step);
      if (excess) throw excess;
      const admission = this.#admit(step, mark);
      if (admission.kind === 'full') this.#asksHeldUntil = admission.until;
    });
    const ctx = step.context(null);
    const wakeAt = core.wakeAt?.(ctx);
    if (wakeAt === undefined || wakeAt > now || this.#wakeHeldUntil > now) return;
    const mark = step.beginPart();
    core.onWake?.(ctx);
    const excess = this.#excess(step);
    if (excess) throw excess;
    const admission = this.#admit(step, mark);
    if (admission.kind === 'full') this.#wakeHeldUntil = admission.until;
  }

  #handle(step: Step, entries: readonly Delivered[], counted: boolean, batch: Batch): void {
    const held = new Set<EdgeKey>();
    const back: Delivered[] = [];
    for (const entry of entries) {
      if (held.has(entry.edge) || !this.#handleOne(step, entry, counted, batch)) {
        held.add(entry.edge);
        back.push(entry);
      }
    }
    this.#inbox.putBack(back);
  }

  /** Handles one entry; `false` when it stays at the head of its edge. */
  #handleOne(step: Step, entry: Delivered, counted: boolean, batch: Batch): boolean {
    const { attempts, log } = this.#options;
    const mark = step.beginPart();
    const ctx = step.context(null);
    if (counted) withdrawFailure(ctx, entry);
    const tries = spent(ctx, entry).tries + 1;
    const outcome = this.#receive(step, entry, mark, tries >= attempts);
    const id = outcome.message?.message_id ?? null;
    const error = outcome.kind === 'acted' ? null : outcome.error;
    let retryAt = 0;
    if (outcome.kind === 'retry') {
      retryAt = noteFailure(ctx, entry, outcome.error.toJSON());
    } else {
      if (error) bury(ctx, entry, { id, tries, error: error.toJSON() });
      settle(ctx, entry.edge);
    }
    const admission = this.#admit(step, mark);
    if (admission.kind !== 'go') {
      batch.held = true;
      if (admission.kind === 'full') this.#inbox.holdBack(entry.edge, admission.until);
      return false;
    }
    batch.then.push(() => {
      this.#counted.delete(`${entry.edge} ${entry.id}`);
      this.#tell(outcome, entry);
      if (outcome.kind !== 'retry') return;
      log.warn({ messageId: id, error: outcome.error.message, tries }, 'to be tried again');
      this.#inbox.holdBack(entry.edge, retryAt);
    });
    if (outcome.kind === 'retry') return false;
    batch.entries.push(entry);
    batch.positions.set(entry.edge, entry);
    const line = journalLine(entry, id, tries, error);
    step.journal.push(outcome.kind === 'acted' && outcome.late ? { ...line, l: true } : line);
    return true;
  }

  /** Has the core handle an entry, or gives it up when it sends more than will ever find room. */
  #receive(step: Step, entry: Delivered, mark: Mark, lastTry: boolean): Outcome {
    const { core, name } = this.#options;
    const outcome = receive(core, step, entry, name, lastTry);
    const excess = this.#excess(step);
    if (!excess) return outcome;
    step.undo(mark);
    return giveUp(step, entry, name, excess);
  }

  #tell(outcome: Outcome, entry: Delivered): void {
    const { observer, clock, log } = this.#options;
    const action = outcome.message?.action ?? '-';
    const late = outcome.kind === 'acted' && outcome.late === true;
    observer?.onHandled?.(action, late ? 'late' : outcome.kind, clock.now() - entry.deliveredAt);
    if (outcome.kind !== 'dead') return;
    const { message, error } = outcome;
    log.warn({ messageId: message?.message_id, edge: entry.edge, error: error.message }, 'dead letter');
  }

  /** Handles dead letters that a person wants handled once more; one that fails is a dead letter again. */
  #replay(step: Step, batch: Batch): void {
    const { clock } = this.#options;
    if (this.#replayHeldUntil > clock.now()) return;
    const ctx = step.context(null);
    for (const [key, letter] of pendingReplays(ctx)) {
      const mark = step.beginPart();
      const entry = { ...toEntry(letter), deliveredAt: clock.now() };
      const outcome = this.#receive(step, entry, mark, true);
      const error = outcome.kind === 'acted' ? null : outcome.error;
      endReplay(ctx, key, letter, error?.toJSON() ?? null);
      const admission = this.#admit(step, mark);
      if (admission.kind !== 'go') {
        if (admission.kind === 'full') this.#replayHeldUntil = admission.until;
        return;
      }
      const id = outcome.message?.message_id ?? null;
      step.journal.push({ ...journalLine(entry, id, letter.tries + 1, error), r: letter.order });
      batch.then.push(() => this.#tell(outcome, entry));
    }
  }

  /** Commits a step; `false` when it found an edge full, and is undone. */
  async #commit(step: Step, positions: ReadonlyMap<EdgeKey, Position>): Promise<boolean> {
    const { clock, broker, perform, observer } = this.#options;
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
      observer?.onCommit?.(clock.now() - began, handled);
    }
    this.#state.landed();
    if (this.#fullEdges.landed(step.used).length > 0) observer?.onBlocked?.('edge', null);
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
    if (!this.#fullEdges.refused(edge, step.used.get(edge) ?? 1, clock.now())) return;
    observer?.onBlocked?.('edge', new ElderError('edge_full', `the edge to ${target} (${lane}) is full`));
  }

  /** Says in a last commit that this incarnation ended between two steps, so that nothing is suspected. */
  async #close(): Promise<void> {
    const step = new Step(this.#around);
    step.context(null).table<{ clean: boolean }>('@run').put('last', { clean: true });
    this.#inputs.rejectAll(new ElderError('not_running', `${this.#options.name} has stopped`));
    await this.#commit(step, new Map());
  }
}
