import { rmSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimPortBase, type PortClaim } from '../../scripts/claim-port-base.ts';
import { GatewayClient } from '../../src/cli/connection/gateway-client.ts';
import { ManagerClient } from '../../src/cli/connection/manager-client.ts';
import { launch } from '../../src/cli/launch.ts';
import { configSchema } from '../../src/protocol/config.ts';
import type { ElderStatus } from '../../src/protocol/process.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import type { ElderProgram } from '../../src/supervision/isolation/elder-program.ts';
import { type Manager, runManager } from '../../src/supervision/manager/manager.ts';

/** A real tree of the product's own processes, whose manager runs in this process. */
export class ManagedTree {
  readonly project: string;
  readonly manager: Manager;
  readonly startMs: number;
  readonly #changes: { wait: PromiseWithResolvers<void> };
  readonly #ports: PortClaim;
  readonly gateway: GatewayClient;
  readonly operations: ManagerClient;

  private constructor(options: {
    project: string;
    manager: Manager;
    startMs: number;
    changes: { wait: PromiseWithResolvers<void> };
    ports: PortClaim;
  }) {
    this.project = options.project;
    this.#ports = options.ports;
    this.manager = options.manager;
    this.startMs = options.startMs;
    this.#changes = options.changes;
    const signal = new AbortController().signal;
    const folder = stateFolder(options.project);
    this.gateway = new GatewayClient({ folder, signal });
    this.operations = new ManagerClient(folder, signal);
    process.on('exit', this.#end);
  }

  /** `program` is another than the product's. */
  static async start(
    servants: number,
    config: Record<string, unknown>,
    program: ElderProgram = launch,
  ): Promise<ManagedTree> {
    const project = await realpath(await mkdtemp(join(tmpdir(), 'elders-bench-')));
    const changes = { wait: Promise.withResolvers<void>() };
    const wake = () => {
      const { resolve } = changes.wait;
      changes.wait = Promise.withResolvers();
      resolve();
    };
    const ports = await claimPortBase(servants);
    const parsed = configSchema.parse({ servants, portBase: ports.base, ...config });
    const began = performance.now();
    const manager = await runManager({
      ...{ project, config: parsed, version: 'bench', launch: program },
      onEvent: wake,
      onStatus: wake,
    });
    return new ManagedTree({ project, manager, startMs: performance.now() - began, changes, ports });
  }

  elder(name: string): ElderStatus {
    const found = this.manager.status.elders.find((elder) => elder.name === name);
    if (!found) throw new Error(`no elder ${name}`);
    return found;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changes.wait.promise;
  }

  /** Resolves when all elders are ready and all spares warm. */
  async settled(): Promise<void> {
    await this.until(() => {
      const { state, spares } = this.manager.status;
      return state === 'ready' && spares.every((spare) => spare.state === 'ready');
    });
  }

  async ping(name: string): Promise<void> {
    await this.gateway.ask(name, 'elder.ping', {});
  }

  async close(): Promise<void> {
    await this.manager.shutdown('kill');
    process.off('exit', this.#end);
    this.#ports.release();
    await rm(this.project, { recursive: true, force: true, maxRetries: 5 });
  }

  /** A benchmark that is interrupted leaves nothing that would use the machine, and spoil the next one. */
  readonly #end = (): void => {
    const { redis, elders, spares } = this.manager.status;
    for (const { pid } of [redis, ...elders, ...spares]) {
      try {
        if (pid !== null) process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    rmSync(this.project, { recursive: true, force: true });
  };
}
