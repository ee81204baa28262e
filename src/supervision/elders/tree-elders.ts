import { rm } from 'node:fs/promises';
import type { Config } from '../../protocol/config.ts';
import type { ElderError } from '../../protocol/errors.ts';
import type { ManagerEvent } from '../../protocol/local-api.ts';
import type { ElderStatus, ProcessRecord } from '../../protocol/process.ts';
import type { ElderSpec } from '../../protocol/roster.ts';
import { bootId } from '../../telemetry/process-identity.ts';
import { BranchSupervisor, type Escalation } from '../branches/branch-supervisor.ts';
import { type Branch, branchNames, startGroups } from '../branches/branch-tree.ts';
import { endSandbox } from '../manager/tree-folder.ts';
import type { Crash } from '../restarts/crash.ts';
import { type CrashHistory, loadCrashHistory, removeCrashHistory } from '../restarts/crash-memory.ts';
import { recoverHomes, spareHomes } from '../spares/spare-folders.ts';
import type { WarmSpares } from '../spares/warm-spares.ts';
import { endProcess } from './adoption.ts';
import { ElderFactory, type ElderFactoryOptions } from './elder-factory.ts';
import { ElderRestarts } from './elder-restarts.ts';
import type { ElderSupervisor } from './elder-supervisor.ts';
import { loadProcessRecords, removeProcessRecord } from './process-records.ts';

interface TreeEldersOptions extends ElderFactoryOptions {
  /** The elders that there are now, in start order; asked anew each time. */
  readonly specs: () => readonly ElderSpec[];
  readonly onChange: (status: ElderStatus) => void;
  readonly onEvent: (kind: ManagerEvent['kind'], name: string, error?: ElderError) => void;
  readonly onCrash: (crash: Crash, history: CrashHistory) => void;
  readonly onDataLost: (reason: string) => void;
  readonly onEscalation: (escalation: Escalation) => void;
  /** Told what to remember of the restarts of a branch. */
  readonly onBranchHistory: (name: string, history: CrashHistory) => void;
}

/** The most processes that are started ahead of their turn. */
const mostAhead = 16;

/** Under which name the restarts of a branch are remembered. */
function historyName(branch: Branch): string {
  return `branch.${branch}`;
}

/** All elders of one tree: they start in the order of their branches, each when its parent is ready, and stop in the reverse. */
export class TreeElders {
  readonly #options: TreeEldersOptions;
  readonly #factory: ElderFactory;
  readonly #elders = new Map<string, ElderSupervisor>();
  readonly #adopted = new Set<string>();
  /** Restarts that somebody or something above the elders wants, one after the other. */
  readonly restarts: ElderRestarts;
  #branches: BranchSupervisor | null = null;
  /** By which the spares that wait are walled off. */
  #sparesIsolation: Config['isolation'];

  constructor(options: TreeEldersOptions) {
    this.#options = options;
    this.#sparesIsolation = options.config.isolation;
    this.#factory = new ElderFactory(options);
    this.restarts = new ElderRestarts({
      elders: this.#elders,
      prepared: this.#factory.prepared,
      supervise: (spec, history) => this.#supervise(spec, history),
      onEvent: options.onEvent,
    });
  }

  /** What is known of each elder so far, by name. */
  get statuses(): ReadonlyMap<string, ElderStatus> {
    return new Map([...this.#elders].map(([name, elder]) => [name, elder.status]));
  }

  /** Gives the supervisor of an elder that was started. */
  supervisor(name: string): ElderSupervisor | undefined {
    return this.#elders.get(name);
  }

  /** Has the processes that run watched by the present configuration. */
  reconfigured(): void {
    for (const elder of this.#elders.values()) elder.watchAnew();
    const { isolation } = this.#options.config;
    this.#factory.spares.adjust({ renew: isolation !== this.#sparesIsolation });
    this.#sparesIsolation = isolation;
  }

  /** What there is of warm spares. */
  get spares(): WarmSpares['statuses'] {
    return this.#factory.spares.statuses;
  }

  /**
   * Takes over what runs already, and has the processes of the first others load their programs; nothing is started.
   * `expectEnded`: processes that are gone have ended by themselves, as those do that nobody looks after.
   */
  async open(
    records: ReadonlyMap<string, ProcessRecord>,
    { expectEnded }: { expectEnded: boolean },
  ): Promise<void> {
    const { config, folder } = this.#options;
    const specs = this.#options.specs();
    const known = new Set(['redis', ...specs.map((spec) => spec.name)]);
    const strangers = [...records.values()].filter((record) => !known.has(record.name));
    await Promise.all(strangers.map((record) => this.#endStranger(record)));
    await recoverHomes(folder);
    this.#branches = new BranchSupervisor({
      family: () => ({ config, specs: this.#options.specs() }),
      histories: new Map(
        await Promise.all(
          branchNames.map(
            async (branch) => [branch, await loadCrashHistory(folder, historyName(branch))] as const,
          ),
        ),
      ),
      now: Date.now,
      restart: (groups, after, onStart) => this.restarts.restartTogether(groups, after, onStart),
      onHistory: (branch, history) => this.#options.onBranchHistory(historyName(branch), history),
      onEscalation: this.#options.onEscalation,
    });
    await Promise.all(specs.map((spec) => this.#takeOver(spec, records.get(spec.name), expectEnded)));
    this.#prepareAhead();
    const held = new Set(this.#options.certificates.holders.map(({ name }) => name));
    await this.#options.certificates.revoke(
      ({ name, incarnation }) => incarnation !== null && !held.has(name),
      'its process has ended',
    );
  }

  /**
   * Starts what does not run yet; resolves when all are ready. Rejects with what hindered an elder, or when the
   * signal aborts; what was started runs on then and must be stopped.
   */
  async start(signal: AbortSignal): Promise<void> {
    // A tree that serves already is not torn down because one of its elders cannot be started again.
    const strict = this.#adopted.size === 0;
    const interrupted = Promise.withResolvers<never>();
    const interrupt = () => interrupted.reject(signal.reason);
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      for (const group of this.#groups()) {
        signal.throwIfAborted();
        const elders = group.map((spec) => this.#elders.get(spec.name) as ElderSupervisor);
        for (const elder of elders) elder.start({ strict });
        this.#prepareAhead();
        const ready = elders.map((elder) => (strict ? elder.ready : elder.ready.catch(() => undefined)));
        await Promise.race([Promise.all(ready), interrupted.promise]);
      }
      // Not before: until then they would only take the processor from those that are being started.
      this.#factory.spares.begin();
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  }

  /** Ends all elders, whatever they are doing, and removes what they leave behind. `mode` is asked anew for each. */
  async stop(mode: () => 'drain' | 'kill'): Promise<void> {
    const { folder, onEvent } = this.#options;
    this.restarts.close();
    await Promise.all([this.#factory.prepared.discard(), this.#factory.spares.discard()]);
    await rm(spareHomes(folder), { recursive: true, force: true });
    if (mode() === 'kill') await this.kill();
    for (const group of this.#groups().reverse()) {
      await Promise.all(
        group.map(async ({ name }) => {
          const elder = this.#elders.get(name);
          if (elder === undefined) return;
          onEvent('stopping', name);
          await elder.stop(mode());
          await endSandbox(folder, name);
          await removeProcessRecord(folder, name);
          await removeCrashHistory(folder, name);
          onEvent('stopped', name);
        }),
      );
    }
    await Promise.all(branchNames.map((branch) => removeCrashHistory(folder, historyName(branch))));
    // A process that was being prepared meanwhile, and whatever a failed start never came to.
    await this.#factory.prepared.discard();
    const rest = [...(await loadProcessRecords(folder)).values()].filter(({ name }) => name !== 'redis');
    await Promise.all(rest.map((record) => this.#endStranger(record)));
  }

  /** Kills all of them at once. */
  async kill(): Promise<void> {
    await Promise.all([...this.#elders.values()].map((elder) => elder.stop('kill')));
  }

  /** Replaces the process in which a principal lives, because Redis no longer holds the state it has. */
  replaceAfterLoss(principal: string, reason: string): void {
    const name = principal === 'gateway' ? 'grand_elder' : principal;
    this.#elders.get(name)?.replaceAfterLoss(reason);
  }

  /** Ends the process of an elder whose certificate was revoked; `restart`: a successor is started in its place. */
  async endRevoked(name: string, options: { restart: boolean }): Promise<void> {
    const elder = this.#elders.get(name);
    if (options.restart) elder?.replaceRevoked();
    else await elder?.stop('kill');
  }

  /** Begins to keep one elder more; what hinders it shows in its status. Rejects only when the tree is being stopped. */
  async admit(spec: ElderSpec): Promise<void> {
    await this.restarts.plan(async () => {
      if (this.#elders.has(spec.name)) return;
      const elder = this.#supervise(spec, { restarts: 0, crashes: [] });
      this.#elders.set(spec.name, elder);
      elder.start({ strict: false });
    });
  }

  /**
   * Ends an elder for good, with all that it has: its process, its user in Redis, its certificates. It may be called
   * again where that was hindered. Rejects with what hindered it, or when the tree is being stopped.
   */
  async dismiss(name: string): Promise<void> {
    const { folder, redis, certificates, onEvent } = this.#options;
    await this.restarts.plan(async () => {
      onEvent('stopping', name);
      await this.#elders.get(name)?.stop('drain');
      await endSandbox(folder, name);
      await redis.admin.users.revoke(name);
      await certificates.revoke(
        (row) => row.name === name && row.incarnation !== null,
        'it is not needed any more',
      );
      await removeProcessRecord(folder, name);
      await removeCrashHistory(folder, name);
      this.#elders.delete(name);
      onEvent('stopped', name);
    });
  }

  #groups(): ElderSpec[][] {
    return startGroups({ config: this.#options.config, specs: this.#options.specs() });
  }

  /** Ends a process that has no supervisor, such as one servant more than the configuration now names. */
  async #endStranger(record: ProcessRecord): Promise<void> {
    const { folder } = this.#options;
    await endProcess(record);
    await endSandbox(folder, record.name);
    await removeProcessRecord(folder, record.name);
  }

  /** Makes the supervisor of one elder, with the process that runs already, if there is one. */
  async #takeOver(spec: ElderSpec, record: ProcessRecord | undefined, expectEnded: boolean): Promise<void> {
    const { folder, config } = this.#options;
    const port = config.portBase + spec.portOffset;
    const process = record === undefined ? null : await this.#factory.adopt(record, port);
    const history = await loadCrashHistory(folder, spec.name);
    // A record of this boot without its process: it ended while no manager looked, and starting it is a restart.
    const missed = process === null && record?.bootId === bootId() && !expectEnded;
    const restarts = Math.max(history.restarts, record?.restarts ?? 0) + (missed ? 1 : 0);
    const kept = { ...history, restarts };
    if (missed) {
      const reason = `${spec.name} ended while no manager ran, or could not be taken over`;
      this.#options.onCrash({ name: spec.name, kind: 'exit', reason }, kept);
    }
    const elder = this.#supervise(spec, kept);
    this.#elders.set(spec.name, elder);
    if (process === null) return;
    this.#adopted.add(spec.name);
    elder.adopt(process);
  }

  #prepareAhead(): void {
    const { prepared } = this.#factory;
    for (const { name } of this.#groups().flat()) {
      if (prepared.size >= mostAhead) return;
      if (this.#elders.get(name)?.begun === false) prepared.prepare(name);
    }
  }

  #supervise(spec: ElderSpec, history: CrashHistory): ElderSupervisor {
    const { onChange, onEvent, onCrash, onDataLost } = this.#options;
    return this.#factory.supervise(spec, history, {
      onChange,
      onEvent,
      onCrash,
      onDataLost,
      onRestart: () => this.#branches?.crashed(spec),
      onGivenUp: () => this.#branches?.givenUp(spec),
    });
  }
}
