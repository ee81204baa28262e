import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimPortBase, type PortClaim } from '../scripts/claim-port-base.ts';
import { nodeOptions, programFile } from '../src/cli/launch.ts';
import type { RedisTls } from '../src/messaging/redis/redis-connection.ts';
import type { RedisCredential, RedisLogins, StartOrder } from '../src/protocol/bootstrap.ts';
import { configSchema } from '../src/protocol/config.ts';
import type { ElderStatus } from '../src/protocol/process.ts';
import { type StateFolder, stateFolder } from '../src/protocol/state-folder.ts';
import { type Manager, runManager } from '../src/supervision/manager/manager.ts';
import type { RedisAdmin } from '../src/supervision/redis/redis-admin.ts';
import { adminOf } from '../test/support/tree-admin.ts';
import type { Guard } from './guards.ts';
import type { Door } from './raw-redis.ts';

/** What somebody who owns a process holds. */
export interface Loot {
  readonly name: string;
  readonly credentials: Readonly<Record<string, RedisCredential>>;
  readonly tls: RedisTls;
  readonly door: Door;
}

const captive = new URL('captive.ts', import.meta.url).href;

/** A real tree in a folder of its own, whose every process somebody else owns already. */
export class AttackTree {
  readonly folder: StateFolder;
  readonly servants: number;
  readonly admin: RedisAdmin;
  readonly #ports: PortClaim;
  readonly #manager: Manager;
  readonly #changes: EventTarget;

  private constructor(parts: {
    folder: StateFolder;
    servants: number;
    admin: RedisAdmin;
    ports: PortClaim;
    manager: Manager;
    changes: EventTarget;
  }) {
    this.folder = parts.folder;
    this.servants = parts.servants;
    this.admin = parts.admin;
    this.#ports = parts.ports;
    this.#manager = parts.manager;
    this.#changes = parts.changes;
  }

  /** Starts it; a guard that is `off` is so in every elder. With `leaveWidened` the manager does not fence users that are widened. */
  static async start(options: {
    servants: number;
    off: Guard | null;
    leaveWidened: boolean;
    signal: AbortSignal;
  }): Promise<AttackTree> {
    const { servants, off, leaveWidened, signal } = options;
    const project = await realpath(await mkdtemp(join(tmpdir(), 'attack-')));
    const ports = await claimPortBase(servants);
    const config = configSchema.parse({
      servants,
      // The oracle knows no servants beyond these.
      scaling: { max: servants },
      portBase: ports.base,
      isolation: 'none',
      sandbox: 'none',
      allowInsecureRedis: leaveWidened,
      appendfsync: 'everysec',
      supervision: { intensity: 1_000, startTimeout: '10m' },
    });
    const preload = off === null ? captive : `${captive}?off=${off}`;
    const changes = new EventTarget();
    try {
      const manager = await runManager({
        project,
        config,
        version: 'attack',
        launch: {
          command: process.execPath,
          args: (name) => [...nodeOptions, '--import', preload, programFile, 'elder', name],
        },
        onStatus: () => changes.dispatchEvent(new Event('change')),
        killSignal: signal,
      });
      const admin = await adminOf(project, ports.base);
      return new AttackTree({ folder: stateFolder(project), servants, admin, ports, manager, changes });
    } catch (error) {
      ports.release();
      await rm(project, { recursive: true, force: true, maxRetries: 5 });
      throw error;
    }
  }

  get endpoint(): { readonly host: string; readonly port: number } {
    return this.#manager.status.redis;
  }

  get tree(): string {
    return this.#manager.status.tree;
  }

  get elders(): readonly ElderStatus[] {
    return this.#manager.status.elders;
  }

  elder(name: string): ElderStatus {
    const found = this.elders.find((elder) => elder.name === name);
    if (!found) throw new Error(`no elder ${name}`);
    return found;
  }

  /** Reads what a process gave away at its start. */
  async loot(name: string): Promise<Loot> {
    const text = await readFile(join(this.folder.project, 'loot', `${name}.json`), 'utf8');
    const { order, credentials, key } = JSON.parse(text) as RedisLogins & { order: StartOrder; key: string };
    const tls = { cert: order.certificate, key, ca: order.ca };
    const door = { tree: this.tree, endpoint: order.redis, tls };
    return { name, credentials, tls, door };
  }

  /** Holds the program of an elder still, while its process goes on; resolves once it has left Redis. */
  async hold(name: string): Promise<void> {
    const { pid } = this.elder(name);
    if (pid === null) throw new Error(`${name} has no process`);
    process.kill(pid, 'SIGUSR2');
    await this.until(() => this.elder(name).state !== 'ready');
  }

  /** Kills the process of an elder and resolves once another plays it. */
  async replace(name: string): Promise<void> {
    const { pid, incarnation } = this.elder(name);
    if (pid !== null) process.kill(pid, 'SIGKILL');
    await this.until(() => {
      const now = this.elder(name);
      return now.state === 'ready' && now.incarnation > incarnation;
    });
  }

  /** Resolves when the condition holds; it is looked at after every change of the tree. */
  async until(condition: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(60_000);
    while (!condition()) await once(this.#changes, 'change', { signal });
  }

  /** Stops the tree; its audit log is complete then. */
  async stop(): Promise<void> {
    this.admin.close();
    await this.#manager.shutdown('kill');
  }

  async remove(): Promise<void> {
    await this.stop().catch(() => undefined);
    this.#ports.release();
    await rm(this.folder.project, { recursive: true, force: true, maxRetries: 5 });
  }
}
