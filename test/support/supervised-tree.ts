import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { claimPortBase, type PortClaim } from '../../scripts/claim-port-base.ts';
import { processesTouching } from '../../scripts/processes-touching.ts';
import { configSchema } from '../../src/protocol/config.ts';
import type { ManagerEvent } from '../../src/protocol/local-api.ts';
import type { ElderStatus, TreeStatus } from '../../src/protocol/process.ts';
import { type StateFolder, stateFolder } from '../../src/protocol/state-folder.ts';
import { type Manager, type ManagerOptions, runManager } from '../../src/supervision/manager/manager.ts';
import type { RedisAdmin } from '../../src/supervision/redis/redis-admin.ts';
import { endProcess } from './end-process.ts';
import { fixtureLaunch } from './fixture-launch.ts';
import { adminOf } from './tree-admin.ts';

/** Runs the manager in a process of its own. */
const managerProgram = join(import.meta.dirname, 'manager-process.ts');
const servants = 2;

/** A project folder with ports of its own, in which managers of fixture elders can be run. */
export class SupervisedTree {
  readonly project: string;
  readonly folder: StateFolder;
  readonly options: Omit<ManagerOptions, 'onEvent' | 'onStatus'>;
  readonly events: ManagerEvent[] = [];
  readonly #ports: PortClaim;
  #manager: Manager | null = null;
  #child: ChildProcess | null = null;
  #changed = Promise.withResolvers<void>();

  private constructor(project: string, ports: PortClaim, config: ManagerOptions['config']) {
    this.#ports = ports;
    this.project = project;
    this.folder = stateFolder(project);
    this.options = { project, config, version: '0.0.0-test', launch: fixtureLaunch };
  }

  /** `config` is merged into the defaults. */
  static async create(config: Record<string, unknown> = {}): Promise<SupervisedTree> {
    const project = await realpath(await mkdtemp(join(tmpdir(), 'elders-sup-')));
    await mkdir(join(project, 'control'));
    const ports = await claimPortBase(servants);
    return new SupervisedTree(
      project,
      ports,
      configSchema.parse({ servants, portBase: ports.base, spares: 0, ...config }),
    );
  }

  /** Steers the fixture elders; see `fixture-elder.ts`. */
  async tell(name: string, word: string, content = ''): Promise<void> {
    await writeFile(join(this.project, 'control', `${name}.${word}`), content);
  }

  /** Takes back what `tell` said. */
  async untell(name: string, word: string): Promise<void> {
    await rm(join(this.project, 'control', `${name}.${word}`));
  }

  /** Runs a manager in this process; resolves when the tree is ready. */
  async up(options: Partial<ManagerOptions> = {}): Promise<Manager> {
    this.#manager = await runManager({
      ...this.options,
      ...options,
      onEvent: (event) => this.#note(event),
      onStatus: () => this.#wake(),
    });
    return this.#manager;
  }

  /** Runs a manager in a process of its own; resolves with its pid when the tree is ready. */
  async upApart(): Promise<number> {
    const { project, config } = this.options;
    const child = spawn(process.execPath, [managerProgram, project], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    });
    this.#child = child;
    child.stdin.end(JSON.stringify(config));
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as ManagerEvent;
      this.#note(event);
      if (event.kind === 'tree_ready') return child.pid as number;
      if (event.kind === 'failed' && event.name === null) throw new Error(event.error?.reason);
    }
    throw new Error('the manager ended before the tree was ready');
  }

  /** Kills the manager that runs apart and resolves when it is gone. */
  async killManager(): Promise<void> {
    const child = this.#child as ChildProcess;
    this.#child = null;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Has the manager that runs apart end of a rejection that nobody handles; resolves with its exit code. */
  async failManager(): Promise<number | null> {
    const child = this.#child as ChildProcess;
    this.#child = null;
    child.kill('SIGUSR2');
    const [code] = await once(child, 'exit');
    return code;
  }

  get manager(): Manager {
    if (this.#manager === null) throw new Error('no manager runs in this process');
    return this.#manager;
  }

  get status(): TreeStatus {
    return this.manager.status;
  }

  elder(name: string): ElderStatus {
    const found = this.status.elders.find((elder) => elder.name === name);
    if (found === undefined) throw new Error(`no elder ${name}`);
    return found;
  }

  pid(name: string): number {
    const { pid } = this.elder(name);
    if (pid === null) throw new Error(`${name} has no process`);
    return pid;
  }

  /** By name; names in `except` are left out. */
  pids(...except: string[]): Record<string, number | null> {
    const { elders } = this.status;
    return Object.fromEntries(
      elders.filter(({ name }) => !except.includes(name)).map(({ name, pid }) => [name, pid]),
    );
  }

  /** Resolves when the condition holds; it is looked at after every change of the tree. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  /** Speaks to the manager's socket. */
  async ask(method: string, path: string, body?: string): Promise<{ status: number; body: string }> {
    const sent = request({ socketPath: this.folder.managerSocket, method, path });
    sent.end(body);
    const [response] = await once(sent, 'response');
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode, body: text };
  }

  /** A connection of the test's own to the managed Redis, as its admin; the test closes it. */
  async redis(): Promise<RedisAdmin> {
    return adminOf(this.project, this.options.config.portBase);
  }

  /** Processes that have anything to do with this tree, this one left out. */
  processes(): number[] {
    return processesTouching(this.project)
      .map(({ pid }) => pid)
      .filter((pid) => pid !== process.pid);
  }

  /** Ends whatever runs and removes the folder. */
  async remove(): Promise<void> {
    await this.#manager?.shutdown('kill').catch(() => undefined);
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await this.killManager();
    await Promise.all(this.processes().map(endProcess));
    this.#ports.release();
    await rm(this.project, { recursive: true, force: true, maxRetries: 5 });
  }

  #note(event: ManagerEvent): void {
    this.events.push(event);
    this.#wake();
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
