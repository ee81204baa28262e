import type { Credentials } from '../../identity/credentials.ts';
import type { RedisCredential } from '../../protocol/bootstrap.ts';
import { childSpec } from '../../protocol/child-spec.ts';
import type { Config } from '../../protocol/config.ts';
import type { ProcessIdentity, ProcessRecord } from '../../protocol/process.ts';
import { type ElderSpec, roster } from '../../protocol/roster.ts';
import { possibleServants } from '../../protocol/servant-pools.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Holder, TreeCertificates } from '../certificates/tree-certificates.ts';
import { monitorElder } from '../health/elder-monitor.ts';
import { placesOf } from '../isolation/elder-places.ts';
import type { ElderProgram } from '../isolation/elder-program.ts';
import { groupByPlaces, sparePlaces } from '../isolation/spare-places.ts';
import type { RedisSupervisor } from '../redis/redis-supervisor.ts';
import type { AfterReplacement } from '../restarts/after-replacement.ts';
import type { CrashHistory } from '../restarts/crash-memory.ts';
import { liveView } from '../restarts/live-view.ts';
import { PreparedCertificates } from '../spares/prepared-certificates.ts';
import { moveIn, moveRawOutput, prepareHome, spareHome } from '../spares/spare-folders.ts';
import { type TakenSpare, WarmSpares } from '../spares/warm-spares.ts';
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
  readonly after: AfterReplacement;
  /** Told that there is another spare, or one less. */
  readonly onSparesChange: () => void;
}

/** Who a waiting process is to become, and by what. */
type AdmissionOrder = Pick<
  Parameters<typeof admitElder>[1],
  | 'name'
  | 'incarnation'
  | 'incarnations'
  | 'port'
  | 'credentials'
  | 'restarts'
  | 'onReport'
  | 'signal'
  | 'proved'
  | 'prepared'
  | 'moveIn'
>;

type Hooks = Pick<
  ConstructorParameters<typeof ElderSupervisor>[0],
  'onChange' | 'onEvent' | 'onCrash' | 'onRestart' | 'onGivenUp' | 'onDataLost'
>;

/** An adopted process that ended is noticed after this many ms at the latest. */
const lookInterval = 250;
/** Within this many ms a warm spare takes its orders. */
const spareAnswerMs = 2_000;

/** Makes the processes of elders, with all that each needs, and those who look after them. */
export class ElderFactory {
  readonly #options: ElderFactoryOptions;
  readonly #holders = new WeakMap<RunningProcess, Holder>();
  /** Elders for which Redis made no user when it was asked last. */
  readonly #refused = new Set<string>();
  /** Processes that were started ahead of their turn. */
  readonly prepared: PreparedElders;
  readonly #certificates: PreparedCertificates;
  /** Processes that are kept warm for whichever elder dies. */
  readonly spares: WarmSpares;

  constructor(options: ElderFactoryOptions) {
    this.#options = options;
    this.prepared = new PreparedElders({
      spawn: (name) => this.#spawn(name),
      note: (name, spawned) => this.#noteWaiting(`${name}.next`, spawned),
    });
    const { config, folder, launch } = options;
    this.#certificates = new PreparedCertificates({
      authority: options.certificates.authority,
      config,
      log: options.log,
    });
    this.spares = new WarmSpares({
      groups: () => {
        // Those that there may be, so that a spare is there when one comes.
        const names = roster(possibleServants(config)).map(({ name }) => name);
        return launch.files === undefined ? [names] : groupByPlaces(names, folder);
      },
      limits: () => ({ count: config.spares, ...config.supervision }),
      // The human may have granted a folder since.
      sees: (names) =>
        launch.files === undefined ? '' : JSON.stringify(sparePlaces({ names }, folder).reads),
      spawn: (spare, names) => this.#spawnSpare(spare, names),
      note: (spare, spawned) => this.#noteWaiting(spare, spawned),
      prepare: (names, process) => this.#certificates.keep(names, process),
      onChange: options.onSparesChange,
      onLost: (spare, reason) => options.log.warn({ spare, reason }, 'a spare was lost'),
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
    const { config, redis, certificates, credentials, log, after } = this.#options;
    const port = config.portBase + spec.portOffset;
    let issued: ProcessIdentity | null = null;
    return new ElderSupervisor({
      ...hooks,
      spec,
      child: liveView(() => childSpec(config, spec.name)),
      port,
      limits: liveView(() => config.supervision),
      history,
      after,
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
          probe: process.probe,
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
  async #noteWaiting(noted: string, spawned: SpawnedElder | null): Promise<void> {
    const { folder, config } = this.#options;
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
    const { certificates, redis, after, log } = this.#options;
    // Making the new user deletes the predecessor's first: whatever is left of it can write no more.
    const principals = name === 'grand_elder' ? [name, 'gateway'] : [name];
    // A Redis that has just refused is waited for before a process is spent on it.
    const next = this.#refused.has(name)
      ? []
      : principals.map((each) => redis.admin.users.nextIncarnation(each));
    const made = Promise.all(
      principals.map(async (each) => [each, await redis.admin.users.createIncarnation(each)] as const),
    );
    const credentials = made.then((pairs): Record<string, RedisCredential> => Object.fromEntries(pairs));
    credentials.then(
      () => this.#refused.delete(name),
      () => this.#refused.add(name),
    );
    const known = next.length > 0 && !next.includes(null);
    const begun = known ? next : Object.values(await credentials).map((each) => each.incarnation);
    const incarnations = Object.fromEntries(principals.map((each, index) => [each, begun[index] ?? 0]));
    const incarnation = incarnations[name] ?? 0;
    const order = { ...options, name, incarnation, incarnations, port, credentials };
    const process = await this.#admitQuickest(order);
    after.run(() => {
      const superseded = certificates.revoke(
        (row) => row.name === name && row.incarnation !== null && row.incarnation < incarnation,
        `superseded by incarnation ${incarnation}`,
      );
      superseded.catch((error) => log.error({ elder: name, error }, 'old certificates were not revoked'));
    });
    return process;
  }

  /** Has a process that waits for its orders become the elder, a warm spare where there is one that answers. */
  async #admitQuickest(order: AdmissionOrder): Promise<RunningProcess> {
    const { name, signal } = order;
    const spare = this.prepared.has(name) ? null : this.spares.take(name);
    if (spare !== null) {
      try {
        return await this.#promote(order, spare);
      } catch (error) {
        if (signal.aborted) throw error;
        // Without a Redis user nobody can become the elder; this tells why there is none.
        await order.credentials;
        this.#options.log.warn({ elder: name, spare: spare.name, error }, 'a spare could not be used');
      } finally {
        await spare.release();
      }
    }
    await order.credentials;
    const spawned = await this.prepared.take(name);
    try {
      return await this.#admit(order, spawned, []);
    } finally {
      await this.prepared.admitted(name);
    }
  }

  async #promote(
    order: AdmissionOrder,
    { name: spareName, names, process }: TakenSpare,
  ): Promise<RunningProcess> {
    const { folder } = this.#options;
    const { name } = order;
    const others = names.filter((each) => each !== name);
    const relinquish = others.flatMap((each) => [...placesOf(each, folder).personal]);
    // One that does not answer at once is no gain over a new process.
    const signal = AbortSignal.any([order.signal, AbortSignal.timeout(spareAnswerMs)]);
    const ahead = this.#certificates.take(process, name);
    const moving = () => {
      moveRawOutput(folder, name, spareName);
      if (process.walled) moveIn(folder, name, spareHome(folder, spareName));
    };
    const own = { ...order, signal, moveIn: moving, ...ahead };
    return await this.#admit(own, process, relinquish);
  }

  async #admit(
    order: AdmissionOrder,
    spawned: SpawnedElder,
    relinquish: readonly string[],
  ): Promise<RunningProcess> {
    const { folder, config, certificates, redis, after } = this.#options;
    // Before the order is made: a change of trust from now on is told to it.
    const holder = certificates.hold(order.name, order.incarnation, true);
    try {
      const process = await admitElder(spawned, {
        ...order,
        config,
        folder,
        authority: certificates.authority,
        revoked: certificates.trust.revoked,
        relinquish,
        redis: redis.endpoint,
        isCalm: () => after.isCalm,
      });
      this.#hold(process, holder);
      return process;
    } catch (error) {
      certificates.release(holder);
      throw error;
    }
  }

  async #spawnSpare(spare: string, names: readonly string[]): Promise<SpawnedElder> {
    const { folder, launch, config } = this.#options;
    const home = await prepareHome(folder, spare);
    return spawnElder({ name: spare, folder, program: launch, config, spare: { names, home } });
  }
}
