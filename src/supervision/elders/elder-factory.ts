import type { Credentials } from '../../identity/credentials.ts';
import { childSpec } from '../../protocol/child-spec.ts';
import type { Config } from '../../protocol/config.ts';
import type { ProcessIdentity, ProcessRecord } from '../../protocol/process.ts';
import type { ElderSpec } from '../../protocol/roster.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Holder, TreeCertificates } from '../certificates/tree-certificates.ts';
import { monitorElder } from '../health/elder-monitor.ts';
import type { ElderProgram } from '../isolation/elder-program.ts';
import type { RedisSupervisor } from '../redis/redis-supervisor.ts';
import type { CrashHistory } from '../restarts/crash-memory.ts';
import { liveView } from '../restarts/live-view.ts';
import { adoptProcess } from './adoption.ts';
import type { LaunchElder } from './elder-life.ts';
import { admitElder } from './elder-process.ts';
import { ElderSupervisor } from './elder-supervisor.ts';
import { PreparedElders } from './prepared-elders.ts';
import { removeProcessRecord, saveProcessRecord } from './process-records.ts';
import type { RunningProcess } from './running-process.ts';
import { type SpawnedElder, spawnElder } from './spawn-elder.ts';

/** What every elder of a tree is made with. */
export interface ElderFactoryOptions {
  readonly folder: StateFolder;
  /** A live view: what is read from it is always the present configuration. */
  readonly config: Config;
  readonly launch: ElderProgram;
  readonly certificates: TreeCertificates;
  readonly credentials: Credentials;
  readonly redis: RedisSupervisor;
  readonly log: Logger;
}

type Hooks = Pick<
  ConstructorParameters<typeof ElderSupervisor>[0],
  'onChange' | 'onEvent' | 'onCrash' | 'onRestart' | 'onGivenUp' | 'onDataLost'
>;

/** An adopted process that ended is noticed after this many ms at the latest. */
const lookInterval = 250;

/** Makes the processes of elders, with all that each needs, and those who look after them. */
export class ElderFactory {
  readonly #options: ElderFactoryOptions;
  readonly #holders = new WeakMap<RunningProcess, Holder>();
  /** Processes that were started ahead of their turn. */
  readonly prepared: PreparedElders;

  constructor(options: ElderFactoryOptions) {
    this.#options = options;
    this.prepared = new PreparedElders({
      spawn: (name) => this.#spawn(name),
      note: (name, spawned) => this.#notePrepared(name, spawned),
    });
  }

  /** Takes over the process of a record; resolves to `null` when there is none that proves itself. */
  async adopt(record: ProcessRecord, port: number): Promise<RunningProcess | null> {
    const { certificates, config, credentials } = this.#options;
    const process = await adoptProcess({
      record,
      tree: certificates.authority.treeId,
      host: config.host,
      port,
      credentials,
      isCurrent: (serial) => certificates.register.isCurrent(serial),
      proofMs: config.supervision.livenessDeadline,
      lookInterval,
    });
    if (process !== null) this.#hold(process, certificates.hold(record.name, record.incarnation, false));
    return process;
  }

  /** Makes the supervisor of an elder, which has not started it yet. */
  supervise(spec: ElderSpec, history: CrashHistory, hooks: Hooks): ElderSupervisor {
    const { config, redis, certificates, credentials, log } = this.#options;
    const port = config.portBase + spec.portOffset;
    let issued: ProcessIdentity | null = null;
    return new ElderSupervisor({
      ...hooks,
      spec,
      child: liveView(() => childSpec(config, spec.name)),
      port,
      limits: liveView(() => config.supervision),
      history,
      redis,
      launch: async (options) => {
        const process = await this.#launch(spec.name, port, options);
        issued = process.identity;
        return process;
      },
      monitor: (process, handlers) => {
        const fresh = process.identity === issued;
        // Watched anew later, its certificate is no longer of just now.
        issued = null;
        return monitorElder({
          name: spec.name,
          pid: process.identity.pid,
          memoryLimit: childSpec(config, spec.name).memoryLimit,
          incarnation: process.incarnation,
          port,
          fresh,
          config,
          certificates,
          holder: this.#holders.get(process) as Holder,
          credentials,
          handlers,
          log,
        });
      },
    });
  }

  /** Notes for as long as the process lives that it has a certificate. */
  #hold(process: RunningProcess, holder: Holder): void {
    this.#holders.set(process, holder);
    void process.exited.then(() => this.#options.certificates.release(holder));
  }

  #spawn(name: string): Promise<SpawnedElder> {
    const { folder, launch, config } = this.#options;
    return spawnElder({ name, folder, program: launch, config });
  }

  /** Under a name that no elder has, so that the next manager ends what it finds there. */
  async #notePrepared(name: string, spawned: SpawnedElder | null): Promise<void> {
    const { folder, config } = this.#options;
    const noted = `${name}.next`;
    if (spawned === null) return removeProcessRecord(folder, noted);
    await saveProcessRecord(folder, {
      ...spawned.identity,
      name: noted,
      incarnation: 0,
      host: config.host,
      port: 0,
      startedAt: Date.now(),
      restarts: 0,
    });
  }

  async #launch(name: string, port: number, options: Parameters<LaunchElder>[0]): Promise<RunningProcess> {
    const { folder, config, certificates, redis } = this.#options;
    // Making the new user deletes the predecessor's first: whatever is left of it can write no more.
    const credential = await redis.admin.createIncarnation(name);
    const credentials = { [name]: credential };
    if (name === 'grand_elder') credentials.gateway = await redis.admin.createIncarnation('gateway');
    const { incarnation } = credential;
    await certificates.revoke(
      (row) => row.name === name && row.incarnation !== null && row.incarnation < incarnation,
      `superseded by incarnation ${incarnation}`,
    );
    const spawned = await this.prepared.take(name);
    // Before the order is made: a change of trust from now on is told to it.
    const holder = certificates.hold(name, incarnation, true);
    try {
      const process = await admitElder(spawned, {
        ...options,
        name,
        incarnation,
        port,
        config,
        folder,
        authority: certificates.authority,
        revoked: certificates.trust.revoked,
        redis: redis.endpoint,
        credentials,
      });
      this.#hold(process, holder);
      return process;
    } catch (error) {
      certificates.release(holder);
      throw error;
    } finally {
      await this.prepared.admitted(name);
    }
  }
}
