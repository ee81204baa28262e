import { mkdir } from 'node:fs/promises';
import { Authority } from '../src/identity/authority.ts';
import type { RedisTls } from '../src/messaging/redis/redis-connection.ts';
import type { RedisCredential } from '../src/protocol/bootstrap.ts';
import { type Config, configSchema } from '../src/protocol/config.ts';
import { stateFolder } from '../src/protocol/state-folder.ts';
import type { RunningProcess } from '../src/supervision/elders/running-process.ts';
import { redisPaths } from '../src/supervision/redis/redis-files.ts';
import { ManagedRedis } from '../src/supervision/redis/redis-server.ts';
import { freePort } from '../test/support/free-port.ts';
import { createIncarnation, type GuardName, loadLibrary } from './guards.ts';
import { PowerCut } from './power-cut.ts';
import { servantCount } from './topology.ts';

const tree = 'chaos';
/** How much of the end of the file a power cut takes with `everysec`: Redis syncs once a second. */
const unsyncedMs = 1_000;

/** The managed Redis of a run, which is killed and started again as the manager would. */
export class ChaosRedis {
  readonly tree = tree;
  readonly managed: ManagedRedis;
  readonly #authority: Authority;
  readonly #off: readonly GuardName[];
  readonly #powerCut: PowerCut;
  #running: RunningProcess;
  #restarts = 0;

  private constructor(
    parts: { managed: ManagedRedis; authority: Authority; off: readonly GuardName[]; data: string },
    running: RunningProcess,
  ) {
    this.managed = parts.managed;
    this.#authority = parts.authority;
    this.#off = parts.off;
    this.#powerCut = new PowerCut(parts.data);
    this.#running = running;
  }

  /** Starts it in a new folder. */
  static async start(options: {
    project: string;
    appendfsync: Config['appendfsync'];
    off: readonly GuardName[];
  }): Promise<ChaosRedis> {
    const { project, appendfsync, off } = options;
    const folder = stateFolder(project);
    for (const path of [folder.root, folder.run, folder.secret]) await mkdir(path, { mode: 0o700 });
    const authority = await Authority.create(tree);
    const config = configSchema.parse({ servants: servantCount, appendfsync });
    const tls = await certificateOf(authority, 'manager');
    const port = await freePort();
    const managed = await ManagedRedis.open({ tree, folder, config, port, authority, tls: () => tls });
    const running = await managed.start({ restarts: 0 });
    await loadLibrary(managed.admin, off);
    return new ChaosRedis({ managed, authority, off, data: redisPaths(folder).data }, running);
  }

  certificateOf(name: string): Promise<RedisTls> {
    return certificateOf(this.#authority, name);
  }

  createIncarnation(name: string): Promise<RedisCredential> {
    return createIncarnation(this.managed.admin, { tree, name, servants: servantCount, off: this.#off });
  }

  /** Kills it with SIGKILL, runs `meanwhile`, and starts it again; with `powerCut` the unsynced end is lost. */
  async killAndRestart(options: { powerCut: boolean; meanwhile?: () => Promise<void> }): Promise<number> {
    if (options.powerCut) await this.#powerCut.knows(unsyncedMs);
    this.#running.kill('SIGKILL');
    await this.#running.exited;
    const lostBytes = options.powerCut ? this.#powerCut.lose(unsyncedMs) : 0;
    await options.meanwhile?.();
    this.#restarts += 1;
    this.#running = await this.managed.start({ restarts: this.#restarts });
    await loadLibrary(this.managed.admin, this.#off);
    return lostBytes;
  }

  async stop(): Promise<void> {
    this.#powerCut.stop();
    await this.managed.stop(5_000);
  }
}

async function certificateOf(authority: Authority, name: string): Promise<RedisTls> {
  const issued = await authority.issueWithKey({ name, addresses: [], lifetimeMs: 6 * 3_600_000 });
  return { cert: issued.certificatePem, key: issued.privateKeyPem, ca: authority.caPem };
}
