import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readDirective } from '../../src/protocol/directive-file.ts';
import { isFinalDirective } from '../../src/protocol/states.ts';
import { newProcessMark } from '../../src/telemetry/marked-processes.ts';
import { readCpuTime } from '../../src/telemetry/process-usage.ts';
import type { ManagedTree } from '../supervision/managed-tree.ts';

/** Commands of tasks that do nothing but use the processor. */
export class BurningTasks {
  readonly #tree: ManagedTree;
  readonly #count: number;
  readonly #mark = newProcessMark();
  #directiveId = '';

  /** `count` of them at once; the tree has at least so many servants. */
  constructor(tree: ManagedTree, count: number) {
    this.#tree = tree;
    this.#count = count;
  }

  /** Has them begin. */
  async begin(): Promise<void> {
    this.#directiveId = randomUUID();
    const tasks = Array.from({ length: this.#count }, (_, index) => ({
      id: `burn${index}`,
      run: `while :; do :; done # ${this.#mark}`,
      timeout: '10m',
    }));
    const workspace = this.#tree.project;
    const read = readDirective(JSON.stringify({ directive: 'Burn', workspace, tasks }));
    if (!read.ok) throw new Error(`no directive: ${JSON.stringify(read.problems)}`);
    const directive = { ...read.spec, workspace };
    const payload = { directiveId: this.#directiveId, directive };
    await this.#tree.gateway.ask('grand_elder', 'development.directive.submit', payload);
  }

  /** Ends them; resolves when the directive is over. */
  async end(): Promise<void> {
    const { gateway } = this.#tree;
    const payload = { directiveId: this.#directiveId, reason: 'burnt enough' };
    await gateway.ask('grand_elder', 'development.directive.cancel', payload);
    for await (const { state } of gateway.watch(this.#directiveId)) if (isFinalDirective(state)) return;
  }

  /** The commands that run and have used so much of the processor (ms). */
  burntFor(cpuMs: number): number[] {
    return this.pids.filter((pid) => (readCpuTime(pid) ?? 0) >= cpuMs);
  }

  /** The shells that run them now. */
  get pids(): number[] {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .filter((pid) => {
        const [program = '', ...args] = argumentsOf(pid);
        return program.endsWith('bash') && args.at(-1)?.includes(this.#mark) === true;
      });
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
