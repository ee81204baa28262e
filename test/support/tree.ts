import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claimPortBase, type PortClaim } from '../../scripts/claim-port-base.ts';
import type { DirectiveView } from '../../src/protocol/directive.ts';
import type { ElderStatus, TreeStatus } from '../../src/protocol/process.ts';
import { endProcess } from './end-process.ts';

const sourceProgram = fileURLToPath(new URL('../../bin/elders.cjs', import.meta.url));

/** What one call of `elders` printed and how it ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A tree in a folder of its own, driven through the command line as a user would. */
export class TestTree {
  readonly folder: string;
  /** An empty folder for what directives do. */
  readonly workspace: string;
  readonly #ports: PortClaim;
  readonly #program: string;
  readonly #running = new Set<ChildProcess>();
  /** A tree in the background would outlive a run that is interrupted. */
  readonly #downAtExit = () => {
    spawnSync(process.execPath, [this.#program, 'down', '--force'], { cwd: this.folder, stdio: 'ignore' });
  };

  private constructor(folder: string, ports: PortClaim, program: string) {
    this.folder = folder;
    this.workspace = join(folder, 'work');
    this.#ports = ports;
    this.#program = program;
    process.once('exit', this.#downAtExit);
  }

  get portBase(): number {
    return this.#ports.base;
  }

  /** Makes the folder and its `elders.yaml`; the tree is not started. `program` is another `elders` than the checkout's. */
  static async create(
    options: { servants?: number; config?: object; program?: string } = {},
  ): Promise<TestTree> {
    const servants = options.servants ?? 2;
    const folder = await mkdtemp(join(tmpdir(), 'elders-tree-'));
    const ports = await claimPortBase(servants);
    // Spares are for tests of spares: every other would pay for their start.
    const config = { portBase: ports.base, servants, spares: 0, ...options.config };
    await writeFile(join(folder, 'elders.yaml'), JSON.stringify(config));
    const tree = new TestTree(folder, ports, options.program ?? sourceProgram);
    await mkdir(tree.workspace);
    return tree;
  }

  /** Runs `elders` in the folder of the tree and waits for its end. */
  async cli(
    args: readonly string[],
    options: { input?: string; env?: Record<string, string> } = {},
  ): Promise<CliResult> {
    const child = this.start(args, options.env);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => (stdout += chunk));
    child.stderr?.on('data', (chunk) => (stderr += chunk));
    child.stdin?.end(options.input ?? '');
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  /** Starts `elders` and leaves it running; it is ended with the tree. */
  start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
    const child = spawn(process.execPath, [this.#program, ...args], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        TMPDIR: process.env.TMPDIR,
        LANG: 'C.UTF-8',
        ...env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    child.on('close', () => this.#running.delete(child));
    return child;
  }

  /** Runs a command that must succeed and parses its JSON. */
  async json<T>(args: readonly string[], options: { input?: string } = {}): Promise<T> {
    const result = await this.cli([...args, '--json'], options);
    if (result.code !== 0)
      throw new Error(`elders ${args.join(' ')}: exit ${result.code}\n${result.stdout}${result.stderr}`);
    return JSON.parse(result.stdout) as T;
  }

  async up(): Promise<void> {
    const { code, stderr } = await this.cli(['up', '-d', '--wait']);
    if (code !== 0) throw new Error(`elders up: exit ${code}\n${stderr}`);
  }

  /** Gives the status whatever the state of the tree is. */
  async status(): Promise<TreeStatus> {
    return JSON.parse((await this.cli(['status', '--json'])).stdout) as TreeStatus;
  }

  /** Waits until all of it serves, by asking: on a busy machine a process may lose its Redis for a moment at any time. */
  async ready(): Promise<TreeStatus> {
    for (;;) {
      const status = await this.status();
      if (status.state === 'ready') return status;
    }
  }

  async elder(name: string): Promise<ElderStatus> {
    const { elders } = await this.status();
    const elder = elders.find((candidate) => candidate.name === name);
    if (!elder) throw new Error(`no elder ${name}`);
    return elder;
  }

  /** Submits a directive without waiting for it and gives its id. */
  async submit(directive: object): Promise<string> {
    const input = JSON.stringify(directive);
    const { id } = await this.json<{ id: string }>(['directive', 'submit', '-'], { input });
    return id;
  }

  /** Waits until a directive has ended, by following it as `--wait` does. */
  async submitAndWait(directive: object): Promise<{ code: number | null; view: DirectiveView }> {
    const input = JSON.stringify(directive);
    const { code, stdout } = await this.cli(['directive', 'submit', '-', '--wait', '--json'], { input });
    return { code, view: JSON.parse(stdout) as DirectiveView };
  }

  /** Waits until a directive has ended, again and again while nobody is there to answer. */
  async waitFor(id: string): Promise<DirectiveView> {
    for (;;) {
      const { code, stdout, stderr } = await this.cli(['directive', 'show', id, '--wait', '--json']);
      if (code === 0 || code === 1) return JSON.parse(stdout) as DirectiveView;
      if (code !== 3 && code !== 5) throw new Error(`show --wait: exit ${code}\n${stdout}${stderr}`);
    }
  }

  /** Kills the manager and resolves when it is gone: only then another may come up, and nobody takes it for alive. */
  async killManager(): Promise<void> {
    const { manager } = await this.status();
    if (manager === null) throw new Error('no manager runs');
    await endProcess(manager.pid);
  }

  /** Stops everything and removes the folder. */
  async dispose(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    await this.cli(['down', '--force']);
    process.off('exit', this.#downAtExit);
    this.#ports.release();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
