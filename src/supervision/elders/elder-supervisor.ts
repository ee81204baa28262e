import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildSpec } from '../../protocol/child-spec.ts';
import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { ManagerEvent, PastError } from '../../protocol/local-api.ts';
import type { ElderStatus } from '../../protocol/process.ts';
import type { ElderSpec } from '../../protocol/roster.ts';
import { elderBeforeStart } from '../manager/tree-state.ts';
import type { AfterReplacement } from '../restarts/after-replacement.ts';
import type { Crash } from '../restarts/crash.ts';
import type { CrashHistory } from '../restarts/crash-memory.ts';
import { type RestartDecision, RestartPolicy } from '../restarts/restart-policy.ts';
import { ElderLife, type Ending } from './elder-life.ts';
import type { RunningProcess } from './running-process.ts';

type LifeOptions = ConstructorParameters<typeof ElderLife>[0];

interface ElderSupervisorOptions extends Pick<LifeOptions, 'redis' | 'launch' | 'monitor' | 'onDataLost'> {
  readonly spec: ElderSpec;
  readonly child: ChildSpec;
  readonly port: number;
  readonly limits: Config['supervision'];
  readonly history: CrashHistory;
  /** Told when a process is replaced at once. */
  readonly after: Pick<AfterReplacement, 'began'>;
  readonly onChange: (status: ElderStatus) => void;
  readonly onEvent: (kind: ManagerEvent['kind'], name: string, error?: ElderError) => void;
  readonly onCrash: (crash: Crash, history: CrashHistory) => void;
  /** Called when it has crashed and will be restarted. */
  readonly onRestart: () => void;
  /** Called when it is given up, after `onCrash`, unless that hindered the start of the tree. */
  readonly onGivenUp: () => void;
}

const atOnce: RestartDecision = { kind: 'restart', delayMs: 0 };

/** How many of its last errors are kept. */
const keptErrors = 10;

/** Keeps one elder alive: starts it, restarts it by the policy, and stops it. Its siblings never notice. */
export class ElderSupervisor {
  readonly name: string;
  readonly #options: ElderSupervisorOptions;
  readonly #policy: RestartPolicy;
  readonly #stopping = new AbortController();
  readonly #firstReady = Promise.withResolvers<void>();
  readonly #settled = new EventTarget();
  #errors: readonly PastError[];
  #status: ElderStatus;
  #life: ElderLife | null = null;
  #replaced: () => void = () => {};
  #running: Promise<void> | null = null;
  /** While set, a start that fails by itself ends the supervision instead of being tried again. */
  #strict = false;

  constructor(options: ElderSupervisorOptions) {
    const { spec, port, limits, history } = options;
    this.name = spec.name;
    this.#options = options;
    this.#errors = history.errors ?? [];
    this.#policy = new RestartPolicy({ limits, random: Math.random, crashes: history.crashes });
    this.#firstReady.promise.catch(() => undefined);
    this.#status = { ...elderBeforeStart(spec, port - spec.portOffset), restarts: history.restarts };
  }

  get status(): ElderStatus {
    return this.#status;
  }

  /** Why its processes ended before their time, lately, the oldest first. */
  get errors(): readonly PastError[] {
    return this.#errors;
  }

  /** When (ms since the epoch) it crashed within the last period, the oldest first. */
  get crashes(): readonly number[] {
    return this.#policy.crashes;
  }

  /** Whether it was started, or took over a process. */
  get begun(): boolean {
    return this.#running !== null;
  }

  /** Resolves when it is ready, or when it is not going to be. */
  async settled(): Promise<void> {
    while (!['ready', 'failed', 'stopped'].includes(this.#status.state)) await once(this.#settled, 'change');
  }

  /** Resolves when it is ready for the first time; rejects when it cannot be started. */
  get ready(): Promise<void> {
    return this.#firstReady.promise;
  }

  /** Starts it. `strict`: when it ends or fails by itself before it was ready, it is not tried again. */
  start(options: { strict: boolean }): void {
    this.#strict = options.strict;
    this.#running ??= this.#supervise(null);
  }

  /** Looks after a process that runs already. */
  adopt(process: RunningProcess): void {
    this.#running ??= this.#supervise(process);
  }

  /** Ends it: `drain` lets it finish within the shutdown time, `kill` does not. May be called again to kill. */
  async stop(mode: 'drain' | 'kill'): Promise<void> {
    this.#stopping.abort(new ElderError('interrupted', `${this.name} is being stopped`));
    await this.#life?.stop(mode);
    await this.#running;
    this.#firstReady.reject(this.#stopping.signal.reason);
    this.#update({ state: 'stopped', reason: null, pid: null });
  }

  /** Ends its process, if one runs that has loaded its state, because Redis no longer holds that; a successor starts from what Redis has. */
  replaceAfterLoss(reason: string): void {
    this.#life?.replaceAfterLoss(reason);
  }

  /** Kills its process, if one runs, because its certificate was revoked; a successor gets one of its own. */
  replaceRevoked(): void {
    this.#life?.condemn('revoked', `the certificate of ${this.name} was revoked`);
  }

  /** Has its process, if one runs, watched by the present configuration. */
  watchAnew(): void {
    this.#life?.watchAnew();
  }

  async #supervise(adopted: RunningProcess | null): Promise<void> {
    const { signal } = this.#stopping;
    for (let process = adopted; ; process = null) {
      const ending = await this.#liveOnce(process);
      if (signal.aborted) return;
      if (this.#strict && !ending.accidental) return this.#giveUp(ending.error);
      if (!this.#isToRestart(ending)) return this.#rest(ending);
      // That its certificate was taken back is an order, not a crash: no number of orders is too many.
      const isOrdered = ending.kind === 'revoked';
      const decision = isOrdered ? atOnce : this.#policy.crashed(Date.now(), ending.uptime);
      const restarts = this.#status.restarts + (decision.kind === 'restart' ? 1 : 0);
      this.#replaced();
      if (decision.kind === 'restart' && decision.delayMs === 0) this.#replaced = this.#options.after.began();
      this.#tell(ending.kind, ending.error.reason, restarts);
      if (decision.kind === 'give_up') {
        const { intensity, period } = this.#options.limits;
        const reason = `${this.name} crashed more than ${intensity} times in ${period} ms: ${ending.error.reason}`;
        this.#tell('given_up', reason, restarts);
        this.#giveUp(new ElderError('start_failed', reason));
        return this.#options.onGivenUp();
      }
      this.#options.onEvent('stopped', this.name, ending.error);
      if (!isOrdered) this.#options.onRestart();
      this.#update({ state: 'backoff', restarts, reason: ending.error.reason, pid: null });
      if (decision.delayMs > 0) await delay(decision.delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  async #liveOnce(adopted: RunningProcess | null): Promise<Ending> {
    const { limits, child, redis, launch, monitor, onDataLost, onEvent } = this.#options;
    if (adopted === null) this.#update({ state: 'starting', reason: null, pid: null });
    onEvent(adopted === null ? 'starting' : 'adopted', this.name);
    const life = new ElderLife({
      name: this.name,
      restarts: this.#status.restarts,
      startTimeout: limits.startTimeout,
      shutdown: child.shutdown,
      redis,
      launch,
      monitor,
      onDataLost,
      onUpdate: (change) => this.#update(change),
      onReady: () => {
        this.#strict = false;
        this.#replaced();
        onEvent('ready', this.name);
        this.#firstReady.resolve();
      },
    });
    this.#life = life;
    return life.run(adopted);
  }

  #isToRestart({ normal }: Ending): boolean {
    const { restart } = this.#options.child;
    return restart === 'permanent' || (restart === 'transient' && !normal);
  }

  /** Leaves it ended, as its child specification wants, and says so. */
  #rest({ kind, error, normal }: Ending): void {
    if (!normal) {
      this.#tell(kind, error.reason, this.#status.restarts);
      this.#giveUp(error);
      return;
    }
    const reason = `${error.reason}; it is ${this.#options.child.restart} and not started again`;
    this.#options.onEvent('stopped', this.name);
    this.#update({ state: 'stopped', reason, pid: null });
    this.#firstReady.reject(new ElderError('start_failed', reason));
  }

  #giveUp(error: ElderError): void {
    this.#update({ state: 'failed', reason: error.reason, pid: null });
    this.#options.onEvent('failed', this.name, error);
    this.#firstReady.reject(error);
  }

  #tell(kind: Crash['kind'], reason: string, restarts: number): void {
    this.#errors = [...this.#errors, { at: Date.now(), kind, reason }].slice(-keptErrors);
    const history = { restarts, crashes: [...this.#policy.crashes], errors: this.#errors };
    this.#options.onCrash({ name: this.name, kind, reason }, history);
  }

  #update(change: Partial<ElderStatus>): void {
    const next = { ...this.#status, ...change };
    const changed = Object.entries(change).some(
      ([key, value]) => this.#status[key as keyof ElderStatus] !== value,
    );
    this.#status = next;
    if (!changed) return;
    this.#options.onChange(next);
    this.#settled.dispatchEvent(new Event('change'));
  }
}
