import type { Authority } from '../identity/authority.ts';
import type { Credentials } from '../identity/credentials.ts';
import type { Config } from '../protocol/config.ts';
import type { ElderError } from '../protocol/errors.ts';
import type { ManagerEvent } from '../protocol/local-api.ts';
import type { ElderStatus, ProcessIdentity, ProcessRecord } from '../protocol/process.ts';
import { type ElderSpec, roster } from '../protocol/roster.ts';
import type { StateFolder } from '../protocol/state-folder.ts';
import type { Logger } from '../telemetry/logger.ts';
import { bootId } from '../telemetry/process-identity.ts';
import { adoptProcess, endProcess } from './adoption.ts';
import { type CrashHistory, loadCrashHistory, removeCrashHistory } from './crash-memory.ts';
import { monitorElder } from './elder-monitor.ts';
import { type Launch, startElderProcess } from './elder-process.ts';
import { type Crash, ElderSupervisor } from './elder-supervisor.ts';
import { loadProcessRecords, removeProcessRecord } from './process-records.ts';
import type { RedisSupervisor } from './redis-supervisor.ts';
import type { RunningProcess } from './running-process.ts';
import { startLevels } from './start-levels.ts';
import { endSandbox } from './tree-folder.ts';

interface TreeEldersOptions {
  readonly folder: StateFolder;
  readonly config: Config;
  readonly launch: Launch;
  readonly authority: Authority;
  readonly credentials: Credentials;
  readonly redis: RedisSupervisor;
  readonly log: Logger;
  readonly onChange: (status: ElderStatus) => void;
  readonly onEvent: (kind: ManagerEvent['kind'], name: string, error?: ElderError) => void;
  readonly onCrash: (crash: Crash, history: CrashHistory) => void;
  readonly onDataLost: (reason: string) => void;
}

/** An adopted process that ended is noticed after this many ms at the latest. */
const lookInterval = 250;

/** All elders of one tree: they start level by level, each when its parent is ready, and stop in the reverse. */
export class TreeElders {
  readonly #options: TreeEldersOptions;
  readonly #elders = new Map<string, ElderSupervisor>();

  constructor(options: TreeEldersOptions) {
    this.#options = options;
  }

  /** What is known of each elder so far, by name. */
  get statuses(): ReadonlyMap<string, ElderStatus> {
    return new Map([...this.#elders].map(([name, elder]) => [name, elder.status]));
  }

  /**
   * Takes over what runs already and starts the rest; resolves when all are ready. Rejects with what hindered
   * an elder, or when the signal aborts; what was started runs on then and must be stopped.
   */
  async start(records: ReadonlyMap<string, ProcessRecord>, signal: AbortSignal): Promise<void> {
    const specs = roster(this.#options.config.servants);
    const known = new Set(['redis', ...specs.map((spec) => spec.name)]);
    const strangers = [...records.values()].filter((record) => !known.has(record.name));
    await Promise.all(strangers.map((record) => this.#endStranger(record)));
    const adopted = await Promise.all(specs.map((spec) => this.#prepare(spec, records.get(spec.name))));
    // A tree that serves already is not torn down because one of its elders cannot be started again.
    const strict = !adopted.includes(true);
    const interrupted = Promise.withResolvers<never>();
    const interrupt = () => interrupted.reject(signal.reason);
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      for (const level of startLevels(specs)) {
        signal.throwIfAborted();
        const elders = level.map((spec) => this.#elders.get(spec.name) as ElderSupervisor);
        for (const elder of elders) elder.start({ strict });
        const ready = elders.map((elder) => (strict ? elder.ready : elder.ready.catch(() => undefined)));
        await Promise.race([Promise.all(ready), interrupted.promise]);
      }
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  }

  /** Ends all elders, whatever they are doing, and removes what they leave behind. `mode` is asked anew for each. */
  async stop(mode: () => 'drain' | 'kill'): Promise<void> {
    const { folder, onEvent } = this.#options;
    if (mode() === 'kill') await this.kill();
    for (const level of startLevels([...this.#elders.values()]).reverse()) {
      await Promise.all(
        level.map(async (elder) => {
          onEvent('stopping', elder.name);
          await elder.stop(mode());
          await endSandbox(folder, elder.name);
          await removeProcessRecord(folder, elder.name);
          await removeCrashHistory(folder, elder.name);
          onEvent('stopped', elder.name);
        }),
      );
    }
    // Whatever the records still name was never looked after, because the start failed before it came to it.
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

  /** Ends a process that has no supervisor, such as one servant more than the configuration now names. */
  async #endStranger(record: ProcessRecord): Promise<void> {
    const { folder } = this.#options;
    await endProcess(record);
    await endSandbox(folder, record.name);
    await removeProcessRecord(folder, record.name);
  }

  /** Makes the supervisor of one elder and resolves to whether it took over a running process. */
  async #prepare(spec: ElderSpec, record: ProcessRecord | undefined): Promise<boolean> {
    const { folder, config } = this.#options;
    const port = config.portBase + spec.portOffset;
    const process = record === undefined ? null : await this.#tryToAdopt(record, port);
    const history = await loadCrashHistory(folder, spec.name);
    // A record of this boot without its process: it ended while no manager looked, and starting it is a restart.
    const missed = process === null && record?.bootId === bootId();
    const restarts = Math.max(history.restarts, record?.restarts ?? 0) + (missed ? 1 : 0);
    const kept = { ...history, restarts };
    if (missed) {
      const reason = `${spec.name} ended while no manager ran, or could not be taken over`;
      this.#options.onCrash({ name: spec.name, kind: 'exit', reason }, kept);
    }
    const elder = this.#supervise(spec, port, kept);
    this.#elders.set(spec.name, elder);
    if (process !== null) elder.adopt(process);
    return process !== null;
  }

  #tryToAdopt(record: ProcessRecord, port: number): Promise<RunningProcess | null> {
    const { authority, config, credentials } = this.#options;
    return adoptProcess({
      record,
      tree: authority.treeId,
      host: config.host,
      port,
      credentials,
      proofMs: config.supervision.livenessDeadline,
      lookInterval,
    });
  }

  #supervise(spec: ElderSpec, port: number, history: CrashHistory): ElderSupervisor {
    const { config, redis, authority, credentials, log, onChange, onEvent, onCrash, onDataLost } =
      this.#options;
    let issued: ProcessIdentity | null = null;
    return new ElderSupervisor({
      spec,
      port,
      limits: config.supervision,
      history,
      redis,
      launch: async (options) => {
        const process = await this.#launch(spec.name, port, options);
        issued = process.identity;
        return process;
      },
      monitor: (process, handlers) =>
        monitorElder({
          name: spec.name,
          incarnation: process.incarnation,
          port,
          fresh: process.identity === issued,
          config,
          authority,
          credentials,
          handlers,
          log,
        }),
      onChange,
      onEvent,
      onCrash,
      onDataLost,
    });
  }

  async #launch(
    name: string,
    port: number,
    options: Pick<Parameters<typeof startElderProcess>[0], 'restarts' | 'onReport' | 'signal'>,
  ): Promise<RunningProcess> {
    const { folder, config, launch, authority, redis } = this.#options;
    // Making the new user deletes the predecessor's first: whatever is left of it can write no more.
    const credential = await redis.admin.createIncarnation(name);
    const credentials = { [name]: credential };
    if (name === 'grand_elder') credentials.gateway = await redis.admin.createIncarnation('gateway');
    return startElderProcess({
      ...options,
      name,
      incarnation: credential.incarnation,
      port,
      config,
      folder,
      launch,
      authority,
      redis: redis.endpoint,
      credentials,
    });
  }
}
