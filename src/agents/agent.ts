import type { Broker, Position } from '../messaging/broker.ts';
import type { Clock } from '../messaging/clock.ts';
import { sourcesOf } from '../protocol/edges.ts';
import { asElderError, ElderError } from '../protocol/errors.ts';
import { type EdgeKey, edgeKey } from '../protocol/keys.ts';
import { lanes, readWindow } from '../protocol/lanes.ts';
import type { JournalLine } from '../protocol/local-api.ts';
import { fixedElders } from '../protocol/roster.ts';
import { expireAsks, nextDeadline } from './asks.ts';
import { bury, noteFailure, settle, spent, withdrawFailure } from './attempts.ts';
import { Committer } from './committer.ts';
import type { Context, Core, Effect, Json } from './core.ts';
import { type Delivered, Inbox } from './inbox.ts';
import { giveUp, type Outcome, receive } from './receiver.ts';
import { StateStore } from './state-store.ts';
import { Step, type Surroundings } from './step.ts';

const blockingReadMs = 5_000;
/** The share of the time for draining after which what still runs is cut off. */
const cutOffShare = 0.6;

/** What the agent tells about its work; the telemetry of a process, or nothing in a simulation. */
export interface AgentObserver {
  onHandled?(action: string, outcome: Outcome['kind'], waitedMs: number): void;
  onCommit?(tookMs: number, handled: number): void;
  /** Why reading or committing has to wait, or `null` once it goes on. */
  onBlocked?(what: 'read' | 'commit', error: ElderError | null): void;
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
  readonly log: Context['log'];
  readonly observer?: AgentObserver;
  /** Does what a core asked for once its commit has landed; gives the outcome back through `input`. */
  readonly perform?: (effect: Effect, agent: Agent) => void;
}

interface Input {
  readonly effect: Effect;
  readonly resolve: (result: Json | undefined) => void;
  readonly reject: (error: unknown) => void;
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
  readonly #inputs: Input[] = [];
  #state = new StateStore();
  #inbox = new Inbox([], new Map());
  #committer: Committer;
  #reading: Reading | null = null;
  #readFailures = 0;
  #wake: () => void = () => {};
  /** Messages still to be handled one by one because the predecessor may have died of one of them. */
  #suspects = 0;
  #failure: unknown = null;
  #whenIdle: (() => void) | null = null;

  constructor(options: AgentOptions) {
    this.#options = options;
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
    const { name, servants, broker, core } = this.#options;
    const snapshot = await broker.load();
    this.#state = new StateStore(snapshot.fields);
    this.#committer = this.#newCommitter(snapshot.commitNumber);
    const elders = [...fixedElders, ...servants.map((servant) => ({ name: servant }))];
    const sources = sourcesOf(name, elders);
    const keys = sources.flatMap((source) => lanes.map((lane) => edgeKey(source, lane)));
    this.#inbox = new Inbox(keys, snapshot.positions);
    const step = new Step(this.#around);
    const ctx = step.context(null);
    const run = ctx.table<{ clean: boolean }>('@run');
    this.#suspects = (run.get('last')?.clean ?? true) ? 0 : readWindow;
    run.put('last', { clean: false });
    core.onStart?.(ctx);
    await this.#commit(step, new Map());
  }

  /** Works until `stop`; throws `fenced` or `conflict` when this incarnation must not go on. */
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

  /** Gives the core something from this process; resolves with its answer once that is committed. */
  input(effect: Effect): Promise<Json | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Json | undefined>();
    if (this.#stopping.signal.aborted) {
      reject(new ElderError('not_running', `${this.#options.name} is stopping`));
    } else {
      this.#inputs.push({ effect, resolve, reject });
      this.#wake();
    }
    return promise;
  }

  #hasWork(): boolean {
    const now = this.#options.clock.now();
    return this.#inputs.length > 0 || this.#inbox.hasWork(now) || (this.#nextWake() ?? Infinity) <= now;
  }

  #nextWake(): number | undefined {
    const ctx = new Step(this.#around).context(null);
    const times = [nextDeadline(ctx), this.#options.core.wakeAt?.(ctx)];
    const known = times.filter((time) => time !== undefined);
    return known.length > 0 ? Math.min(...known) : undefined;
  }

  /** Keeps one read under way; it is dropped, which loses nothing, when it leaves out an edge that has room again. */
  #read(): void {
    const wanted = this.#inbox.wanted();
    if (this.#reading) {
      const outdated = wanted.size > this.#reading.cursors.size;
      if (!outdated) return;
      this.#reading.abort.abort();
      this.#reading = null;
    }
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
    const times = [this.#nextWake(), this.#inbox.nextRetryAt()].filter((time) => time !== undefined);
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
    const answers = this.#takeInputs(step);
    this.#runTimers(step);
    const positions = this.#handle(step, entries, careful);
    try {
      await this.#commit(step, positions);
    } catch (error) {
      for (const { input } of answers) input.reject(error);
      throw error;
    }
    for (const { input, result } of answers) input.resolve(result);
  }

  /**
   * Counts a try before the handler runs, so that a message which kills its reader is given up some day.
   * Gives back the entries that may still be handled.
   */
  async #countBeforehand([suspect]: Delivered[]): Promise<Delivered[]> {
    if (!suspect) return [];
    this.#suspects -= 1;
    const step = new Step(this.#around);
    const ctx = step.context(null);
    const { tries } = spent(ctx, suspect);
    if (tries < this.#options.attempts) {
      noteFailure(ctx, suspect, {
        code: 'internal',
        reason: 'the process ended while this may have been handled',
      });
      await this.#commit(step, new Map());
      return [suspect];
    }
    const error = new ElderError('internal', 'the process ended each time while this message was handled');
    const id = giveUp(step, suspect, this.#options.name, error).message?.message_id ?? null;
    bury(ctx, suspect, { id, tries, error: error.toJSON() });
    settle(ctx, suspect.edge);
    step.journal.push(journalLine(suspect, id, tries, error));
    await this.#commit(step, new Map([[suspect.edge, suspect]]));
    return [];
  }

  #takeInputs(step: Step): { input: Input; result: Json | undefined }[] {
    const answers: { input: Input; result: Json | undefined }[] = [];
    for (const input of this.#inputs.splice(0, readWindow)) {
      const mark = step.mark();
      try {
        const result = this.#options.core.onInput?.(step.context(null), input.effect) as Json | undefined;
        answers.push({ input, result });
      } catch (error) {
        step.undo(mark);
        input.reject(error);
      }
    }
    return answers;
  }

  #runTimers(step: Step): void {
    const { core, clock } = this.#options;
    const ctx = step.context(null);
    expireAsks(core, step);
    const wakeAt = core.wakeAt?.(ctx);
    if (wakeAt !== undefined && wakeAt <= clock.now()) core.onWake?.(ctx);
  }

  #handle(step: Step, entries: readonly Delivered[], counted: boolean): Map<EdgeKey, Position> {
    const { core, name, attempts, clock, observer, log } = this.#options;
    const positions = new Map<EdgeKey, Position>();
    const held = new Set<EdgeKey>();
    const back: Delivered[] = [];
    for (const entry of entries) {
      if (held.has(entry.edge)) {
        back.push(entry);
        continue;
      }
      const ctx = step.context(null);
      if (counted) withdrawFailure(ctx, entry);
      const tries = spent(ctx, entry).tries + 1;
      const outcome = receive(core, step, entry, name, tries >= attempts);
      observer?.onHandled?.(outcome.message?.action ?? '-', outcome.kind, clock.now() - entry.deliveredAt);
      const id = outcome.message?.message_id ?? null;
      if (outcome.kind === 'retry') {
        held.add(entry.edge);
        back.push(entry);
        this.#inbox.holdBack(entry.edge, noteFailure(ctx, entry, outcome.error.toJSON()));
        log.warn({ messageId: id, error: outcome.error.message, tries }, 'to be tried again');
        continue;
      }
      if (outcome.kind === 'dead') {
        bury(ctx, entry, { id, tries, error: outcome.error.toJSON() });
        log.warn({ messageId: id, edge: entry.edge, error: outcome.error.message }, 'dead letter');
      }
      settle(ctx, entry.edge);
      positions.set(entry.edge, entry);
      step.journal.push(journalLine(entry, id, tries, outcome.kind === 'dead' ? outcome.error : null));
    }
    this.#inbox.putBack(back);
    return positions;
  }

  async #commit(step: Step, positions: ReadonlyMap<EdgeKey, Position>): Promise<void> {
    const { clock, broker, perform, observer } = this.#options;
    const { set, remove } = this.#state.take();
    const handled = step.journal.length;
    if (set.size + remove.size + positions.size + step.send.length > 0) {
      const began = clock.now();
      const journal = handled > 0 ? JSON.stringify(step.journal) : null;
      await this.#committer.write(
        { set, remove, positions, send: step.send, journal },
        this.#stopping.signal,
      );
      observer?.onCommit?.(clock.now() - began, handled);
    }
    for (const event of step.events) broker.publish(event);
    for (const effect of step.effects) perform?.(effect, this);
    if (this.#whenIdle && this.#isIdle()) this.#whenIdle();
  }

  /** Says in a last commit that this incarnation ended between two steps, so that nothing is suspected. */
  async #close(): Promise<void> {
    const step = new Step(this.#around);
    step.context(null).table<{ clean: boolean }>('@run').put('last', { clean: true });
    const rest = this.#inputs.splice(0);
    for (const input of rest)
      input.reject(new ElderError('not_running', `${this.#options.name} has stopped`));
    await this.#commit(step, new Map());
  }
}
